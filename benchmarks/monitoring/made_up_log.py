"""A prediction log of any size with its labels, in the product's own form, and a model that answered it."""

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import bundle
from bundle import signing
from contract import prediction_log as log
from contract.artifacts import Table
from contract.champion import Champion
from contract.problem import Problem
from contract.run import Run
from contract.store.layout import ModelFileKey, PredictionsKey, stage_prefix
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from methods.drift.reference import reference_profile
from methods.tables.parquet import write_table
from methods.tables.snapshot import LOAD, Snapshot, SourceSnapshot
from rehearsal.folder_store import FolderStore
from tasks.monitoring.task import Inputs

NAME = "made-up"
BEGIN = datetime(2013, 5, 1, tzinfo=UTC)
LABEL_DELAY = timedelta(hours=30)
NUMBERS = tuple(f"x{index}" for index in range(22))
LEVELS = {f"c{n}": levels for n, levels in enumerate((5, 8, 12, 20, 30, 50, 100, 200))}
KINDS = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(LEVELS, "category")
REFERENCE_ROWS = 20_000
PROBLEM = {
    "apiVersion": "perennial/v1",
    "kind": "Problem",
    "name": NAME,
    "question": "Will it be?",
    "target": {"column": "late", "task": "binary"},
    "source": {
        "rows": {
            "kind": "files",
            "path": "rows/*.csv",
            "key": ["id"],
            "event_time": "at",
            "known_at": "known_at",
        }
    },
}


def world(rows: int, seed: object) -> tuple[pa.Table, NDArray[np.float64], NDArray[np.bool_]]:
    """Return 30 features, their scores and labels."""
    random = np.random.default_rng(seed)  # type: ignore[arg-type] # an integer, or some
    columns: dict[str, object] = {name: random.normal(size=rows) for name in NUMBERS}
    for name, levels in LEVELS.items():
        words = pa.array([f"level-{number}" for number in range(levels)])
        columns[name] = words.take(pa.array(random.integers(0, levels, rows)))
    table = pa.table(columns)
    margin = table.column("x0").to_numpy() - 0.5 * table.column("x1").to_numpy()
    scores = 1 / (1 + np.exp(-margin))
    return table, scores, random.random(rows) < scores


@dataclass(frozen=True)
class MadeUpLog:
    """A folder with a problem's store, as its service and its stages left it."""

    folder: Path

    @property
    def store(self) -> FolderStore:
        """The store."""
        return FolderStore("bucket", self.folder / "store")

    def begin(self) -> None:
        """Deploy the model."""
        digest = self._write_model()
        (self.folder / "digest").write_text(digest, encoding="utf-8")
        entry = {
            "id": "first/deployed",
            "kind": "deployed",
            "at": BEGIN,
            "written": BEGIN,
            "run": "first",
            "digest": digest,
            "reason": "made up",
        }
        Ledger(self.store, NAME).append(LedgerEntry.model_validate(entry))

    def serve(self, number: int, rows: int, files: int, labelled: float) -> None:
        """Log one day in `files` segments, and land the labels of a share of its rows."""
        begin = BEGIN + timedelta(days=number)
        micros = int(begin.timestamp() * 1_000_000)
        names, labels, moments = [], [], []
        for part in range(files):
            count = rows // files
            table, scores, truth = world(count, [number, part])
            at = micros + (np.arange(count) + part * count) * (86_399_000_000 // rows)
            keys = [f"{number:04d}-{part * count + row:08d}" for row in range(count)]
            instants = pa.array(at, pa.timestamp("us", tz="UTC"))
            columns = {
                log.REQUEST_ID: [
                    f"0190{number:04x}-{part:04x}-7000-8000-{row:012x}" for row in range(count)
                ],
                log.ROW: pa.array(np.zeros(count, np.int32)),
                log.SERVED_AT: instants,
                log.EVENT_TIME: instants,
                log.DIGEST: [self.digest] * count,
                log.SCORE: scores,
                log.LABEL: pa.array(scores >= 0.5).cast(pa.string()),
                log.key_column("id"): keys,
            }
            columns |= {log.feature_column(name): table.column(name) for name in table.column_names}
            body = io.BytesIO()
            pq.write_table(pa.table(columns), body, compression="zstd", row_group_size=65_536)
            hour = f"{24 * part // files:02d}"
            key = PredictionsKey(NAME, begin.date(), hour, f"made-{part:06d}")
            self.store.put(str(key), body.getvalue())
            names += keys
            moments.append(at)
            labels.append(truth)
        self._land(number, names, np.concatenate(moments), np.concatenate(labels), labelled)

    @property
    def digest(self) -> str:
        """Of the model."""
        return (self.folder / "digest").read_text(encoding="utf-8")

    def inputs(self, days: int) -> Inputs:
        """Write what the stages before monitoring make, as of the end of a day."""
        out = self.out(days, "before")
        problem = Problem.model_validate(PROBLEM)
        parts = tuple(
            Table.model_validate_json(path.read_bytes())
            for path in sorted((self.folder / "landed").glob("*.json"))
        )
        source = SourceSnapshot(
            generation=1,
            key=("id",),
            cursor=None,
            event_time="at",
            known_at="known_at",
            parts=parts,
        )
        run = Run(
            name=NAME,
            run_id=f"monitor-{days}",
            window_start=None,
            window_end=BEGIN + timedelta(days=days),
            reason="manual",
            force=False,
            salt="salt",
            champion=Champion(
                digest=self.digest, run="first", verdict=None, since=BEGIN, nonce="n"
            ),
        )
        return Inputs(
            problem=out.document("problem", problem.model_dump(mode="json", by_alias=True)),
            run=out.document("run", run),
            snapshot=out.document("snapshot", Snapshot(sources={"rows": source})),
        )

    def out(self, days: int, stage: str) -> Out:
        """Return where a stage writes."""
        scratch = self.folder / "scratch" / f"{days}-{stage}"
        scratch.mkdir(parents=True, exist_ok=True)
        return Out(self.store, stage_prefix(NAME, f"monitor-{days}", stage), scratch)

    def _land(
        self,
        number: int,
        names: list[str],
        moments: NDArray[np.int64],
        truth: NDArray[np.bool_],
        share: float,
    ) -> None:
        count = round(share * len(names))
        known = moments[:count] + int(LABEL_DELAY.total_seconds() * 1_000_000)
        table = pa.table(
            {
                "id": names[:count],
                "late": truth[:count],
                "at": pa.array(moments[:count], pa.timestamp("us", tz="UTC")),
                "known_at": pa.array(known, pa.timestamp("us", tz="UTC")),
                LOAD: pa.DictionaryArray.from_arrays(
                    pa.array(np.zeros(count, np.int32)), pa.array([f"{number:08d}"])
                ).cast(pa.string()),
            }
        )
        landed = self.folder / "landed"
        landed.mkdir(exist_ok=True)
        part = write_table(self.out(number, "landed"), "rows", table)
        (landed / f"{number:06d}.json").write_bytes(part.canonical())

    def _write_model(self) -> str:
        table, scores, truth = world(REFERENCE_ROWS, 4_711)
        losses = -np.log(np.where(truth, scores, 1 - scores))
        days = np.sort(np.random.default_rng(0).integers(0, 28, REFERENCE_ROWS)) + 15_000
        profile = reference_profile(
            table,
            scores,
            losses,
            KINDS,  # type: ignore[arg-type] # a kind each
            {"x0": 0.7, "x1": 0.3},
            days,
            [(block, 1_000, float(losses.mean()), float(losses.std())) for block in range(4)],
            are_days=True,
        )
        weights = np.zeros((len(NUMBERS), 1))
        weights[:2, 0] = 1.0, -0.5
        folder = self.folder / "bundle"
        digest = bundle.write(
            folder,
            model=bundle.ModelDocument(
                members=(
                    bundle.MemberEntry(
                        file="members/linear.dense", weight=1.0, inputs=tuple(range(len(NUMBERS)))
                    ),
                ),
                threshold=0.5,
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
                        "w0": weights,
                        "b0": np.array([0.0]),
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
                problem=NAME,
                task="binary",
                columns=tuple(bundle.Column(name=n, type=kind) for n, kind in KINDS.items()),
                output=bundle.ScoreOutput(name="late"),
                classes=(False, True),
                positive=True,
                key=("id",),
                event_time="at",
            ),
            golden_rows=[{"x0": 1.0}, {}],
            profile=profile,
            card=bundle.Card(
                problem=NAME, run="first", trained_at=BEGIN, rows=REFERENCE_ROWS, family="linear"
            ),
            signing_key=signing.new_key(),
        )
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = ModelFileKey(NAME, digest, path.relative_to(folder).as_posix())
                self.store.put_file(str(key), path)
        return digest


def day_of(number: int) -> date:
    """Return the date of a day, counted from 0."""
    return (BEGIN + timedelta(days=number)).date()
