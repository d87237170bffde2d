"""A problem whose model serves the small world of `fixtures_drift`, with its log and late labels."""

import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fixtures_drift import KINDS, NUMBERS, reference, world

import bundle
from bundle import signing
from contract import prediction_log as log
from contract.artifacts import Document
from contract.champion import Champion
from contract.decision import Decision
from contract.manifest import Manifest
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from methods.columns.roles import Feature
from methods.columns.schema import Schema
from methods.controller.policy import Policy
from methods.drift.profile import ReferenceProfile
from methods.tables.parquet import write_table
from methods.tables.snapshot import LOAD, Snapshot, SourceSnapshot
from tasks.monitoring.task import Inputs, Outputs, Params, monitor, run

SINCE = datetime(2013, 5, 1, tzinfo=UTC)
SERVED_LATER = timedelta(days=4_000)  # the log is written in another year than it is about
CLASSES = ("false", "true")
WEIGHTS = {"heavy": 1.2, "second": -0.8, "third": 0.6, "skewed": 0.35}


def _linear(table: pa.Table, weights: dict[str, float]) -> np.ndarray:
    """Return what the model of `MonitoredProblem.deploy` answers."""
    columns = {name: np.nan_to_num(table.column(name).to_numpy()) for name in weights}
    margin = sum(weight * columns[name] for name, weight in weights.items()) - 1.0
    return np.asarray(1 / (1 + np.exp(-margin)))


@dataclass
class MonitoredProblem:
    """One problem in the store, and what a test does to it day by day."""

    store: Store
    name: str
    folder: Path
    labels: str = "departures"
    cooldown: str = "3d"
    value: dict[str, object] | None = None
    """What a decision is worth."""
    profile: ReferenceProfile = field(init=False)
    digest: str = field(init=False)
    truths: list[pa.Table] = field(default_factory=list)
    runs: int = 0

    def __post_init__(self) -> None:
        self.profile = reference(rows=6_000)
        self.digest = self.deploy(self.profile)
        self.enter("deployed", "first", SINCE)

    @property
    def problem(self) -> Problem:
        return Problem.model_validate(
            {
                "apiVersion": "perennial/v1",
                "kind": "Problem",
                "name": self.name,
                "question": "Will it be late?",
                "owner": "operations",
                "target": {
                    "column": "late",
                    "task": "binary",
                    "labels": {"from": self.labels, "on": ["flight"]},
                },
                "source": {
                    "departures": {
                        "kind": "files",
                        "path": "landing/*.csv",
                        "key": ["flight"],
                        "event_time": "scheduled_at",
                        "known_at": "landed_at",
                    }
                },
                "metric": {} if self.value is None else {"value": self.value},
                "retraining": {"cooldown": self.cooldown, "min_new_labels": {"rows": 300}},
            }
        )

    def deploy(self, profile: ReferenceProfile, heavy: float = 1.2, threshold: float = 0.5) -> str:
        """Write a linear model with its reference, and return its digest.

        `heavy` is the weight of the column that the scenario `concept` changes to -0.2.
        """
        folder = self.folder / f"bundle-{heavy}-{threshold}"
        weights = WEIGHTS | {"heavy": heavy}
        digest = bundle.write(
            folder,
            model=bundle.ModelDocument(
                members=(
                    bundle.MemberEntry(
                        file="members/linear.dense",
                        weight=1.0,
                        inputs=tuple(range(len(NUMBERS))),
                    ),
                ),
                threshold=threshold,
            ),
            encoder=bundle.EncoderDocument(
                columns=tuple(bundle.NumberPlan(column=name) for name in NUMBERS)
            ),
            members={
                "members/linear.dense": bundle.Tensors(
                    kind="dense",
                    arrays={
                        "fill": np.zeros(len(NUMBERS)),
                        "center": np.zeros(len(NUMBERS)),
                        "scale": np.ones(len(NUMBERS)),
                        "w0": np.array([[weights.get(name, 0.0)] for name in NUMBERS]),
                        "b0": np.array([-1.0]),
                    },
                    meta={
                        "inputs": len(NUMBERS),
                        "numeric": list(range(len(NUMBERS))),
                        "missing": [],
                        "onehot": [],
                        "limit": 16.0,
                        "layers": 1,
                        "link": "sigmoid",
                    },
                )
            },
            contract=bundle.Contract(
                problem=self.name,
                task="binary",
                columns=tuple(bundle.Column(name=n, type=kind) for n, kind in KINDS.items()),
                output=bundle.ScoreOutput(name="late"),
                classes=(False, True),
                positive=True,
                key=("flight",),
                event_time="scheduled_at",
            ),
            golden_rows=[{"heavy": 1.0}, {}],
            profile=profile.model_dump(mode="json"),
            card=bundle.Card(
                problem=self.name, run="first", trained_at=SINCE, rows=2_000, family="linear"
            ),
            signing_key=signing.new_key(),
        )
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                self.store.put_file(f"{self.name}/models/sha256/{digest}/{name}", path)
        return digest

    def keep_training_rows(self, rows: int = 3_000) -> None:
        """Write what preprocessing and split of the champion's run made."""
        table, _, labels = world(rows, 4_711)
        moments = [SINCE - timedelta(days=60) + timedelta(minutes=25 * n) for n in range(rows)]
        prepared = table.append_column("late", pa.array(labels == 1)).append_column(
            "scheduled_at", pa.array(moments, pa.timestamp("us", tz="UTC"))
        )
        schema = Schema(
            key=("flight",),
            event_time="scheduled_at",
            group=None,
            target="late",
            task="binary",
            classes=CLASSES,
            columns=tuple(
                Feature(name=name, role=kind, type="double", required=False)
                for name, kind in KINDS.items()
            ),
        )
        parts = np.where(np.arange(rows) < rows * 0.8, "train", "validation")
        assignment = pa.table(
            {
                "row": np.arange(rows, dtype=np.int64),
                "part": parts.tolist(),
                "block": np.zeros(rows, np.int32),
                "fold": np.zeros(rows, np.int8),
            }
        )
        self._manifest(
            "preprocessing",
            lambda out: {
                "prepared": write_table(out, "prepared", prepared),
                "schema": out.document("schema", schema),
            },
        )
        self._manifest(
            "split", lambda out: {"assignment": write_table(out, "assignment", assignment)}
        )

    def _manifest(self, stage: str, make: object) -> None:
        scratch = self.folder / stage
        scratch.mkdir(exist_ok=True)
        out = Out(self.store, f"{self.name}/runs/first/{stage}", scratch)
        outputs = make(out)  # type: ignore[operator] # a function of out
        manifest = Manifest(
            task=stage,
            problem=self.name,
            run="first",
            code="0" * 64,
            inputs={},
            params={},
            outputs={name: value.model_dump(mode="json") for name, value in outputs.items()},
            facts={},
            outcome="made",
            started=SINCE,
            seconds=0.0,
            cpu_seconds=0.0,
        )
        self.store.put(f"{self.name}/runs/first/{stage}/manifest.json", manifest.canonical())

    def serve(
        self,
        first: date,
        days: int,
        scenario: str = "none",
        *,
        rows: int = 150,
        label_delay: timedelta | None = timedelta(hours=30),
        digest: str | None = None,
        heavy: float | None = None,
        file: str = "own",
    ) -> None:
        """Log a few days of predictions; their labels are known `label_delay` after the event.

        `heavy` is the weight of the model that answers, as in `deploy`; None: the world's own.
        `file` names a further file of the day.
        """
        for n in range(days):
            day = first + timedelta(days=n)
            table, scores, labels = world(rows, [day.toordinal(), rows], scenario)
            if heavy is not None:
                scores = _linear(table, WEIGHTS | {"heavy": heavy})
            begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
            moments = [begin + timedelta(days=1) * (i + 0.5) / rows for i in range(rows)]
            names = [f"{day}-{digest or file}-{i}" for i in range(rows)]
            columns = {
                log.REQUEST_ID: names,
                log.ROW: pa.array([0] * rows, pa.int32()),
                log.SERVED_AT: pa.array(
                    [moment + SERVED_LATER for moment in moments], pa.timestamp("us", tz="UTC")
                ),
                log.EVENT_TIME: pa.array(moments, pa.timestamp("us", tz="UTC")),
                log.DIGEST: [digest or self.digest] * rows,
                log.SCORE: scores,
                log.LABEL: ["true" if score >= 0.5 else "false" for score in scores],
                log.key_column("flight"): names,
            }
            columns |= {log.feature_column(name): table.column(name) for name in table.column_names}
            served = begin + SERVED_LATER
            key = f"predictions/dt={served:%Y-%m-%d}/hour=00/{digest or file}-{day}.parquet"
            self.put_parquet(key, pa.table(columns))
            if label_delay is not None:
                self.truths.append(
                    pa.table(
                        {
                            "flight": names,
                            "late": labels == 1,
                            "scheduled_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
                            "landed_at": pa.array(
                                [moment + label_delay for moment in moments],
                                pa.timestamp("us", tz="UTC"),
                            ),
                            LOAD: [f"00000001-{day}"] * rows,
                        }
                    )
                )

    def parquet(self, key: str) -> pa.Table:
        """Read a file of the log."""
        return pq.read_table(pa.BufferReader(self.store.get(key)), partitioning=None)

    def put_parquet(self, key: str, table: pa.Table) -> None:
        """Write a file under the problem's prefix."""
        body = io.BytesIO()
        pq.write_table(table, body)
        self.store.put(f"{self.name}/{key}", body.getvalue())

    def send_feedback(self, request_id: str, label: str, received_at: datetime) -> None:
        """Log one feedback."""
        self.put_parquet(
            f"feedback/dt={received_at:%Y-%m-%d}/{request_id}.parquet",
            pa.table(
                {
                    log.REQUEST_ID: [request_id],
                    log.ROW: pa.array([0], pa.int32()),
                    log.LABEL: [label],
                    log.RECEIVED_AT: pa.array([received_at], pa.timestamp("us", tz="UTC")),
                }
            ),
        )

    def enter(
        self,
        kind: str,
        run_id: str,
        at: datetime,
        digest: str | None = None,
        by: str | None = None,
    ) -> None:
        """Write a line of the ledger."""
        Ledger(self.store, self.name).append(
            LedgerEntry.model_validate(
                {
                    "id": f"{run_id}/{kind}",
                    "kind": kind,
                    "at": at,
                    "written": at,
                    "run": run_id,
                    "by": by,
                    "digest": digest or self.digest,
                    "reason": "a test",
                }
            )
        )

    def entries(self) -> list[tuple[str, date]]:
        """Return kind and day of the ledger's entries after the first; a day ends at its `at`."""
        entries = Ledger(self.store, self.name).entries()[1:]
        return [(entry.kind, (entry.at - timedelta(days=1)).date()) for entry in entries]

    def reasons(self, kind: str) -> list[str]:
        """Return the sentences of the ledger's entries of one kind."""
        entries = Ledger(self.store, self.name).entries()
        return [entry.reason for entry in entries if entry.kind == kind]

    def inputs(self, until: datetime, run_id: str, *, champion: bool = True) -> Inputs:
        """Write what the stages before monitoring make."""
        scratch = self.folder / f"before-{run_id}"
        scratch.mkdir(exist_ok=True)
        out = Out(self.store, f"{self.name}/runs/{run_id}/before", scratch)
        parts = ()
        if self.truths:
            parts = (write_table(out, "departures", pa.concat_tables(self.truths)),)
        source = SourceSnapshot(
            generation=1,
            key=("flight",),
            cursor=None,
            event_time="scheduled_at",
            known_at="landed_at",
            parts=parts,
        )
        serving = Champion(digest=self.digest, run="first", verdict=None, since=SINCE, nonce="n")
        this = Run(
            name=self.name,
            run_id=run_id,
            window_start=None,
            window_end=until,
            reason="manual",
            force=False,
            salt="salt",
            champion=serving if champion else None,
        )
        problem: Document = out.document(
            "problem", self.problem.model_dump(mode="json", by_alias=True)
        )
        return Inputs(
            problem=problem,
            run=out.document("run", this),
            snapshot=out.document("snapshot", Snapshot(sources={"departures": source})),
        )

    def monitor(
        self,
        until: datetime,
        run_id: str | None = None,
        *,
        champion: bool = True,
        policy: Policy | None = None,
    ) -> Outputs:
        """Run the stage; by another policy than the product's where one is given."""
        self.runs += 1
        name = run_id or f"monitor-{self.runs}"
        inputs = self.inputs(until, name, champion=champion)
        scratch = self.folder / f"scratch-{name}"
        scratch.mkdir(exist_ok=True)
        out = Out(self.store, f"{self.name}/runs/{name}/monitoring", scratch)
        return run(inputs, Params(), out) if policy is None else monitor(inputs, out, policy)

    def decision(self, day: date) -> Decision:
        """Read a day's record."""
        return Decision.model_validate_json(
            self.store.get(f"{self.name}/monitoring/{day}/decision.json")
        )
