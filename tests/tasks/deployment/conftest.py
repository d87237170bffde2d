"""A problem with a model that was judged, and the deployment as a run of its own."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import store_documents
from bundle_factory import Keys, Made
from fixtures_service import keys, make
from service_process import API_KEY, Service, move_pointer, start_service

from contract.artifacts import Bundle, Document
from contract.champion import Champion
from contract.problem import read_problem_text
from contract.run import Run
from contract.runtime.task import Task
from contract.serving_state import Rollout
from contract.store.champion_pointer import read_champion
from contract.store.client import Store
from contract.store.layout import ManifestKey, champion_key, rollout_key
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from contract.verdict import Check, Verdict
from tasks.deployment.task import DeploymentStage

__all__ = ["keys", "make"]

WINDOW_END = datetime(2024, 6, 1, tzinfo=UTC)


@dataclass
class Ground:
    """A problem in the store."""

    store: Store
    problem: str
    scratch: Path
    monkeypatch: pytest.MonkeyPatch
    stage: DeploymentStage = field(default_factory=DeploymentStage)
    """The stage as its process has it, or connected to a cluster of the test's own."""

    def deploy(
        self,
        made: Made,
        run_id: str = "run-2",
        *,
        verdict: Mapping[str, object] | None = None,
        limit: str = "5s",
        serving: str = "{}",
    ) -> tuple[int, dict[str, Any]]:
        """Run the stage as its process does; return the exit code and the result."""
        prefix = f"{self.problem}/runs/{run_id}"
        takes = self.takes(prefix, run_id, made, verdict or {}, limit, serving)
        result = self.scratch / "result.json"
        self.monkeypatch.setenv("STAGE_RESULT", str(result))
        task = Task("deployment", self.stage.run)
        code = task.main([*takes, "--out", self.store.uri(f"{prefix}/deployment")])
        return code, json.loads(result.read_text())

    def set_champion(self, made: Made | None, run: str = "run-1") -> None:
        """Write `champion.json`, as a deployment of an earlier run, or a person, would."""
        if made is None:
            return
        champion = Champion(
            digest=made.digest,
            run=run,
            verdict=None,
            since=WINDOW_END,
            nonce=f"{run}-{made.digest}",
        )
        self.store.put(champion_key(self.problem), champion.canonical())

    @property
    def champion(self) -> str | None:
        """The digest of the champion."""
        champion = read_champion(self.store, self.problem)
        return champion.digest if champion else None

    @property
    def rollout(self) -> str | None:
        """The digest that the service should serve."""
        return Rollout.model_validate_json(self.store.get(rollout_key(self.problem))).digest

    @property
    def ledger(self) -> list[LedgerEntry]:
        """All lines."""
        return Ledger(self.store, self.problem).entries()

    def takes(  # noqa: PLR0917 - all that a deployment takes
        self,
        prefix: str,
        run_id: str,
        made: Made,
        changes: Mapping[str, object],
        limit: str,
        serving: str = "{}",
    ) -> list[str]:
        problem = read_problem_text(
            f"apiVersion: perennial/v1\nkind: Problem\nname: {self.problem}\nquestion: Will it?\n"
            "target: {column: answer}\nsource: {main: {kind: files, path: rows.csv}}\n"
            f"gates: {{latency_p99: {limit}}}\nserving: {serving}\n",
            "problem.yaml",
        )
        run = Run(
            name=self.problem,
            run_id=run_id,
            window_start=None,
            window_end=WINDOW_END,
            reason="manual",
            force=False,
            salt="salt",
            champion=None,
        )
        judged = _verdict(made.digest, self.champion) | changes
        out = Out(self.store, f"{prefix}/before", self.scratch / "before")
        key = f"{self.problem}/models/sha256/{made.digest}"
        artifacts: dict[str, Document | Bundle] = {
            "problem": out.document("problem", problem),
            "run": out.document("run", run),
            "verdict": out.document("verdict", judged),
            "bundle": Bundle(uri=self.store.uri(key), sha256=made.digest, bytes=1),
        }
        outputs = {name: artifact.model_dump(mode="json") for name, artifact in artifacts.items()}
        stage = ManifestKey(self.problem, run_id, "before")
        manifest = out.document("manifest", store_documents.manifest(stage, outputs=outputs))
        return [
            argument
            for name in artifacts
            for argument in ("--take", f"{name}={manifest.uri}#{name}@sha256:{manifest.sha256}")
        ]


def _verdict(judged: str, baseline: str | None) -> dict[str, object]:
    return Verdict(
        verdict="accepted",
        judged=judged,
        baseline=baseline,
        rule="superior" if baseline else "first",
        metric="roc_auc",
        score=0.8,
        baseline_score=0.7 if baseline else None,
        checks=(Check(name="beats dummy", passed=True, why="0.8 found, 0.5 expected."),),
        reasons=(),
        rows=1000,
        window_end=WINDOW_END,
    ).model_dump(mode="json")


@pytest.fixture(scope="session")
def problem_name() -> str:
    """One problem for all tests here, so that they share a service; each begins anew."""
    return f"p-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def home(
    store: Store, keys: Keys, problem_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    service = start_service(store, problem_name, keys, tmp_path_factory.mktemp("service"))
    yield service
    assert service.stop() == 0


@pytest.fixture
def serving(home: Service, ground: "Ground") -> Service:
    """A service that follows the pointer, and serves nothing yet."""
    move_pointer(ground.store, ground.problem, None)
    home.wait_until_serving(None)
    return home


@pytest.fixture
def ground(
    store: Store,
    keys: Keys,
    problem_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Ground:
    api_key = tmp_path / "api.key"
    api_key.write_text(f"{API_KEY}\n")
    monkeypatch.setenv("PERENNIAL_API_KEY", str(api_key))
    monkeypatch.setenv("PERENNIAL_VERIFY_KEYS", str(keys.folder))
    for key in list(store.keys(f"{problem_name}/")):
        if not key.endswith("/service.json"):
            store.delete(key)
    return Ground(store, problem_name, tmp_path, monkeypatch)
