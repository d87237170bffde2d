"""All twelve stages of a small problem as real processes, each killed with -9 and run again.

The wines of scikit-learn; a real store, a real service, the command line that Airflow uses. Each
stage runs once undisturbed; then what it wrote is taken away, it is killed, and it runs again.
One class, long as it is: each try needs all that was landed, started and made before it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from benchmarks.attempts import Attempt, Death, Kill, StageTrial
from benchmarks.chain_service import API_KEY, LIMIT_SECONDS, ROOT, ChainService
from benchmarks.gate import Gate
from bundle import signing
from contract.canonical_json import sha256
from contract.manifest import Result
from contract.stages import STAGES
from contract.store.client import Store
from contract.store.layout import ManifestKey, SourceHeadKey, champion_key, rollout_key
from dags.stage.request import arguments, environment, out_uri
from docs.generate.stages import fields, tree_of

OVERRIDES = {"models.budget": "4s", "gates.latency_p99": "5s"}
NOW = datetime.now(UTC).replace(microsecond=0)
WATCH = "watch"
"""The second run: what is watched is what the first one deployed."""
WINDOW_ENDS = MappingProxyType({"run": NOW - timedelta(days=1), WATCH: NOW})

TAKES: Mapping[str, tuple[str, ...]] = {
    stage: tuple(entry.name for entry in fields(tree_of(stage), "Inputs")) for stage in STAGES
}
MADE_BY = {
    entry.name: stage
    for stage in reversed(STAGES)  # the first that makes one of a name keeps it
    for entry in fields(tree_of(stage), "Outputs")
}


@dataclass
class Chain:
    """One problem in one store, stage after stage; to be used in a `with`."""

    store: Store
    store_environment: Mapping[str, str]
    problem: str
    folder: Path
    results: dict[tuple[str, str], Result] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Land the data, make the keys and open the door to the store."""
        problem = self.folder / "problems" / self.problem
        shutil.copytree(ROOT / "problems" / "wine", problem)
        text = (problem / "problem.yaml").read_text()
        (problem / "problem.yaml").write_text(text.replace("name: wine", f"name: {self.problem}"))
        landing = [sys.executable, "-m", "demo", "wine", "--to", str(self.folder / "landing")]
        subprocess.run(landing, check=True, cwd=ROOT, capture_output=True)
        private = signing.new_key()
        (self.folder / "signing.pem").write_bytes(private)
        (self.folder / "verify").mkdir()
        (self.folder / "verify" / "a.pem").write_bytes(signing.public_pem(private))
        (self.folder / "api.key").write_text(API_KEY)
        (self.folder / "scratch").mkdir()
        self._gate = Gate(self.store_environment["AWS_ENDPOINT_URL"])
        self.service = ChainService(self.store, self.problem, self.folder, self.environment)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the service and shut the door."""
        self.service.stop()
        self._gate.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the platform of this chain has."""
        return {
            **os.environ,
            **self.store_environment,
            "PERENNIAL_PATH": str(ROOT),
            "PERENNIAL_PROBLEMS": str(self.folder / "problems"),
            "PERENNIAL_SIGNING_KEY": str(self.folder / "signing.pem"),
            "PERENNIAL_VERIFY_KEYS": str(self.folder / "verify"),
            "PERENNIAL_API_KEY": str(self.folder / "api.key"),
            "PERENNIAL_API_KEY_SHA256": sha256(API_KEY.encode()),
            "PERENNIAL_HOME": str(self.folder / "home"),
            "LANDING": str(self.folder / "landing"),
            "TMPDIR": str(self.folder / "scratch"),
            "DRAIN_SECONDS": "0.1",
            "POLL_SECONDS": "0.1",
        }

    def try_all(self, kills: Mapping[str, Sequence[Kill | float]]) -> list[StageTrial]:
        """Try all twelve stages, each killed as `kills` says."""
        trials = []
        for stage in STAGES[:-1]:
            if stage == "deployment":
                self.service.start()
            trials.append(self.try_stage(stage, kills[stage]))
        self.service.predict_all(self.folder / "landing" / "wine" / "wine.csv")
        self.service.stop()
        self.service.age_log()
        for stage in ("problem", "collection"):
            self._expect_well(stage, self.attempt(stage, run=WATCH))
        return [*trials, self.try_stage(STAGES[-1], kills[STAGES[-1]], WATCH)]

    def try_stage(self, stage: str, kills: Sequence[Kill | float], run: str = "run") -> StageTrial:
        """Run a stage undisturbed, take its traces away, kill it, and run it to its end.

        A number among `kills` is a share of the undisturbed stage's work, in (0, 1).

        Raises:
            RuntimeError: the stage did not end well when nobody disturbed it.
        """
        before = self._state()
        undisturbed = self.attempt(stage, run=run)
        self._expect_well(stage, undisturbed)
        undisturbed_keys, undisturbed_manifest = self.objects(), self.manifest(stage, run)
        self._restore(before)
        deaths = []
        for moment in kills:
            kill = (
                moment
                if isinstance(moment, Kill)
                else Kill(after_seconds=moment * undisturbed.work_seconds)
            )
            killed = self.attempt(stage, kill, run)
            deaths.append(Death(kill, killed, tuple(sorted(self.objects() - before.keys()))))
        again = self.attempt(stage, run=run)
        found = self.manifest(stage, run) if again.code == 0 else {"outputs": {}}
        return StageTrial(
            stage,
            undisturbed,
            undisturbed_keys,
            undisturbed_manifest,
            tuple(deaths),
            again,
            self.objects(),
            found,
        )

    def attempt(self, stage: str, kill: Kill | None = None, run: str = "run") -> Attempt:
        """Start a stage as Airflow does, and kill its process group when `kill` says."""
        started: list[subprocess.Popen[str]] = []
        ready = threading.Event()

        def end() -> None:
            ready.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started[0].pid, signal.SIGKILL)

        timer = threading.Timer((kill and kill.after_seconds) or 0, end)

        def on_first() -> None:
            if kill is not None and kill.after_seconds is not None:
                timer.start()

        def may_put() -> bool:
            if kill is not None and kill.after_seconds is not None:
                end()
                return False
            return True

        def on_put(count: int) -> None:
            if kill is not None and count == kill.after_puts:
                end()

        self._gate.begin(on_first, may_put, on_put)
        began = time.monotonic()
        seen = environment(stage, ["LANDING"], self.environment)
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks", *self._arguments(stage, run)],
            env=seen | {"AWS_ENDPOINT_URL": self._gate.url},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        ready.set()
        output, _ = process.communicate(timeout=LIMIT_SECONDS)
        seconds = time.monotonic() - began
        timer.cancel()
        first, put = self._gate.first_request, self._gate.first_put
        work = put - first if first is not None and put is not None else 0.0
        bucket = f"/{self.store.bucket}/"
        puts = tuple(path.removeprefix(bucket) for path in self._gate.puts)
        if process.returncode == 0:
            self._remember(stage, run)
        return Attempt(process.returncode, output, seconds, work, puts)

    def _expect_well(self, stage: str, attempt: Attempt) -> None:
        if attempt.code != 0:
            raise RuntimeError(f"{stage} ended with {attempt.code}: {attempt.output}")

    def objects(self) -> frozenset[str]:
        """Return every key of the problem."""
        return frozenset(self.store.keys(f"{self.problem}/"))

    def manifest(self, stage: str, run: str = "run") -> dict[str, Any]:
        """Return a stage's manifest."""
        found: dict[str, Any] = json.loads(self.store.get(self._key(stage, run)))
        return found

    def _key(self, stage: str, run: str) -> str:
        return str(ManifestKey(self.problem, run, stage))

    def _remember(self, stage: str, run: str) -> None:
        key = self._key(stage, run)
        body = self.store.get(key)
        self.results[run, stage] = Result(
            manifest=self.store.uri(key),
            sha256=sha256(body),
            outcome=json.loads(body)["outcome"],
            facts={},
        )

    def _arguments(self, stage: str, run: str) -> list[str]:
        takes = {name: self.results[run, MADE_BY[name]] for name in TAKES[stage]}
        params = {} if stage != "problem" else self._params(run)
        return arguments(stage, takes, params, out_uri(self.store.bucket, self.problem, run, stage))

    def _params(self, run: str) -> dict[str, object]:
        return {
            "name": self.problem,
            "run_id": run,
            "window_start": None,
            "window_end": WINDOW_ENDS[run].isoformat(),
            "reason": "manual",
            "force": False,
            "overrides": OVERRIDES,
        }

    def _state(self) -> dict[str, bytes | None]:
        """Return every key, with its content where it is one that moves."""
        moving = (rollout_key(self.problem), champion_key(self.problem))
        return {
            key: self.store.get(key) if key in moving or SourceHeadKey.parse(key) else None
            for key in self.objects()
        }

    def _restore(self, before: Mapping[str, bytes | None]) -> None:
        for key in self.objects() - before.keys():
            self.store.delete(key)
        for key, body in before.items():
            if body is not None:
                self.store.put(key, body)
