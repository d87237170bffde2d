"""A small problem whose answer is known, as the stages before selection would leave it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contract.artifacts import Document, Table
from contract.champion import Champion
from contract.problem import Problem
from contract.run import Replay, Run
from contract.store.client import Store
from contract.store.writer import Out
from methods.columns.roles import column_of
from methods.columns.schema import Schema, target_vector
from methods.models.dataset import Dataset
from methods.split.folds import PreparedAssignment
from methods.tables.parquet import write_table

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=120)
FEATURES = ("size", "ratio", "flag", "colour", "shop", "seen")
FOLDS = 4


def people(rows: int, seed: int = 0) -> pa.Table:
    """Rows of six features; the signal is in size, flag, colour and shop, `ratio` is noise."""
    random = np.random.default_rng(seed)
    size = random.normal(size=rows)
    flag = random.integers(0, 2, rows)
    colour = random.choice(["red", "green", "blue"], rows)
    shop = random.integers(0, 60, rows)
    weight = np.sin(np.arange(60) * 1.7)[shop]
    margin = 1.4 * size + 0.9 * flag + 1.1 * (colour == "red") + 1.2 * weight - 1.0
    chance = 1.0 / (1.0 + np.exp(-margin))
    minutes = np.sort(random.integers(0, 120 * 24 * 60, rows))
    return pa.table(
        {
            "id": pa.array(np.arange(rows)),
            "size": pa.array(size, mask=random.random(rows) < 0.05),
            "ratio": pa.array(random.normal(size=rows)),
            "flag": pa.array(np.where(flag == 1, 60, 36)),
            "colour": pa.array(colour.tolist(), mask=random.random(rows) < 0.03),
            "shop": pa.array([f"shop {number}" for number in shop]),
            "seen": pa.array([START + timedelta(minutes=int(one)) for one in minutes]),
            "late": pa.array((random.random(rows) < chance).tolist()),
            "kind": pa.array(
                np.array(["low", "mid", "top"])[
                    np.digitize(margin + random.normal(size=rows), [-1, 1])
                ]
            ),
            "cost": pa.array(10.0 + 3.0 * margin + random.normal(size=rows)),
        }
    )


TARGETS = {
    "binary": ("late", ("false", "true")),
    "multiclass": ("kind", ("low", "mid", "top")),
    "regression": ("cost", ()),
}


def schema_of(table: pa.Table, task: str) -> Schema:
    target, classes = TARGETS[task]
    return Schema(
        key=("id",),
        event_time="seen",
        group=None,
        target=target,
        task=task,  # type: ignore[arg-type] # one of the three
        classes=classes,
        columns=tuple(column_of(name, table[name]) for name in FEATURES),
    )


def assignment_of(rows: int) -> pa.Table:
    """By time: 70 % train in FOLDS folds, 15 % validation, 15 % vault; a block is 3 days' rows."""
    place = np.arange(rows) / rows
    part = np.select([place < 0.7, place < 0.85], ["train", "validation"], "vault")
    fold = np.where(part == "train", (place / 0.7 * FOLDS).astype(int), -1)
    return pa.table(
        {
            "row": pa.array(np.arange(rows), pa.int64()),
            "part": pa.array(part.tolist()),
            "block": pa.array((place * 80).astype(np.int32)),
            "fold": pa.array(fold.astype(np.int8)),
        }
    )


def dataset_of(rows: int, task: str = "binary", seed: int = 0) -> Dataset:
    table = people(rows, seed)
    held = assignment_of(rows)
    schema = schema_of(table, task)
    return Dataset(
        schema=schema,
        table=table,
        truth=target_vector(table, schema),
        assignment=PreparedAssignment(
            part=np.asarray(held["part"].to_pylist()),
            block=held["block"].to_numpy().astype(np.int64),
            fold=held["fold"].to_numpy().astype(np.int64),
        ),
    )


def problem_of(name: str, task: str = "binary", **sections: Any) -> Problem:
    return Problem.model_validate(
        {
            "apiVersion": "perennial/v1",
            "kind": "Problem",
            "name": name,
            "question": "Will it be late?",
            "target": {"column": TARGETS[task][0], "task": task},
            "source": {
                "people": {"kind": "files", "path": "x", "key": ["id"], "event_time": "seen"}
            },
            "models": {"budget": "3s"},
        }
        | sections
    )


@dataclass
class Prepared:
    """What the stages before selection left in the store."""

    store: Store
    name: str
    out: Callable[[str], Out]
    problem: Document
    run: Document
    prepared: Table
    schema: Document
    assignment: Table

    def given(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("problem", "run", "prepared", *names)}

    def with_champion(self, digest: str, reason: str = "nightly") -> "Prepared":
        champion = Champion(digest=digest, run="r0", verdict=None, since=START, nonce="n")
        run = self.out("problem").document("run", run_of(self.name, champion, reason))
        return Prepared(**(self.__dict__ | {"run": run}))

    def with_replay(self, plan: Document, leaderboard: Document) -> "Prepared":
        replay = Replay(run="r0", plan=plan, leaderboard=leaderboard)
        again = run_of(self.name).model_copy(update={"replay": replay})
        run = self.out("problem").document("run", again)
        return Prepared(**(self.__dict__ | {"run": run}))


def run_of(name: str, champion: Champion | None = None, reason: str = "manual") -> Run:
    return Run(
        name=name,
        run_id="r1",
        window_start=None,
        window_end=NOW,
        reason=reason,
        force=False,
        salt="s",
        champion=champion,
    )


@pytest.fixture
def prepare(store: Store, tmp_path: Path) -> Callable[..., Prepared]:
    """Return a function that puts a small prepared problem into the store."""

    def make(rows: int = 1500, task: str = "binary", **sections: Any) -> Prepared:
        name = f"p-{uuid.uuid4().hex[:12]}"

        def out(stage: str) -> Out:
            scratch = tmp_path / f"{stage}-{uuid.uuid4().hex[:6]}"
            scratch.mkdir()
            return Out(store, f"{name}/runs/r1/{stage}", scratch)

        table = people(rows)
        return Prepared(
            store=store,
            name=name,
            out=out,
            problem=out("problem").document(
                "problem", problem_of(name, task, **sections).model_dump(mode="json", by_alias=True)
            ),
            run=out("problem").document("run", run_of(name)),
            prepared=write_table(out("preprocessing"), "prepared", table),
            schema=out("preprocessing").document("schema", schema_of(table, task)),
            assignment=write_table(out("split"), "assignment", assignment_of(rows)),
        )

    return make
