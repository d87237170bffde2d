"""Inputs for one stage alone: documents and tables in the store, as earlier stages write them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contract.artifacts import Document, Table
from contract.champion import Champion
from contract.problem import Problem, read_problem_text
from contract.run import Run
from contract.store.client import Store
from contract.store.writer import Out
from methods.split.buckets import salt_of
from methods.tables.parquet import read_table, write_table

END = datetime(2026, 6, 1, tzinfo=UTC)


class Before:
    """The run of one problem up to the stage under test."""

    def __init__(self, store: Store, problem: Problem, folder: Path) -> None:
        self.store, self.problem, self._folder, self._count = store, problem, folder, 0

    def out(self, stage: str) -> Out:
        self._count += 1
        scratch = self._folder / f"{stage}-{self._count}"
        scratch.mkdir()
        return Out(self.store, f"{self.problem.name}/runs/r1/{stage}", scratch)

    def documents(self, **run: Any) -> dict[str, Document]:
        """Return what the problem stage makes."""
        out = self.out("problem")
        this = Run.model_validate(
            {
                "name": self.problem.name,
                "run_id": "r1",
                "window_start": None,
                "window_end": END,
                "reason": "manual",
                "force": False,
                "salt": salt_of(self.problem.name),
                "champion": None,
                **run,
            }
        )
        return {"problem": out.document("problem", self.problem), "run": out.document("run", this)}

    def table(self, name: str, rows: pa.Table) -> Table:
        return write_table(self.out("earlier"), name, rows)

    def read(self, table: Table) -> pa.Table:
        return read_table(self.store, table)


@pytest.fixture
def before(store: Store, problem_name: str, tmp_path: Path) -> Callable[..., Before]:
    """Return a function that makes a problem; what is given goes into its file."""

    def make(**given: Any) -> Before:
        value = {
            "apiVersion": "perennial/v1",
            "kind": "Problem",
            "name": problem_name,
            "question": "What?",
            "target": {"column": "y"},
            "source": {"rows": {"kind": "files", "path": "rows.csv", "key": ["id"]}},
            **given,
        }
        return Before(store, read_problem_text(json.dumps(value), "problem.yaml"), tmp_path)

    return make


def champion(run: str) -> Champion:
    return Champion(digest="a" * 64, run=run, verdict=None, since=END, nonce="n")
