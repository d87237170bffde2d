"""12 sabotaged challengers: training sees damaged rows, the gate judges the model by the true ones."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pyarrow as pa

from benchmarks.monitoring.cells import Cell, simulate
from benchmarks.monitoring.feeds import FEEDS, NUMBERS, Change, Random
from benchmarks.monitoring.worlds import BEGIN, LEVELS, SCENARIOS, MadeUpWorld, problem
from contract.runtime.task import Task
from contract.store.writer import Out
from methods.tables.parquet import read_table, write_table
from rehearsal.simulation import RehearsalPlan, Simulation

PART = "sabotage"
ROWS = 1_000
DAYS = 3
REASONS = ("performance", "age")
"""One asks the gate for a superior model, the other for one that is no worse."""


def _labels(change: Callable[[Any, Random], Any]) -> Change:
    def damage(table: pa.Table, random: Random) -> pa.Table:
        column = pa.array(change(table["bought"].to_pylist(), random), pa.bool_())
        return table.set_column(table.column_names.index("bought"), "bought", column)

    return damage


def _kept(share: Callable[[object], float]) -> Change:
    """Return labels of which only a share is kept; training leaves unlabelled rows out."""
    return _labels(
        lambda labels, random: [
            label if random.random() < share(label) else None for label in labels
        ]
    )


def _fed(kind: str) -> Change:
    """Return the damage of a kind of broken feed."""
    change = FEEDS[kind].change
    assert change is not None
    return change


def _replaced(names: Sequence[str], values: Callable[[pa.ChunkedArray, Random], Any]) -> Change:
    def damage(table: pa.Table, random: Random) -> pa.Table:
        for name in names:
            column = pa.array(values(table[name], random), table[name].type)
            table = table.set_column(table.column_names.index(name), name, column)
        return table

    return damage


SABOTAGES: Mapping[str, Change] = {
    "labels shuffled": _labels(lambda labels, r: r.permutation(labels).tolist()),
    "labels turned round": _labels(lambda labels, _: [not label for label in labels]),
    "a third of the labels turned round": _labels(
        lambda labels, r: [label != (r.random() < 0.33) for label in labels]
    ),
    "2 % of the rows": _kept(lambda _: 0.02),
    "one in ten of the negative rows": _kept(lambda label: 1.0 if label else 0.1),
    "top column empty": _fed("heavy null"),
    "top column shuffled": _replaced(["heavy"], lambda column, r: r.permutation(column.to_numpy())),
    "top column's sign turned": _fed("sign of heavy turned"),
    "top column and an idle one exchanged": _fed("heavy and n1 exchanged"),
    "every column shuffled by itself": _fed("columns shuffled"),
    "numbers empty": _replaced(NUMBERS, lambda column, _: [None] * len(column)),
    "numbers and categories constant": _replaced(
        [*NUMBERS, *LEVELS], lambda column, _: [column[0].as_py()] * len(column)
    ),
}


def cells() -> list[Cell]:
    """Return a cell a sabotage and reason."""
    return [
        Cell(PART, f"{index:02d}-{reason}", 0, _run(kind, reason))
        for index, kind in enumerate(SABOTAGES)
        for reason in REASONS
    ]


def _run(kind: str, reason: str) -> Callable[[Path], Mapping[str, Any]]:
    def run(folder: Path) -> Mapping[str, Any]:
        plan = RehearsalPlan(problem=problem(), begin=BEGIN, days=DAYS, history=60)
        world = MadeUpWorld(SCENARIOS["stationary"], ROWS, 0)
        quiet = folder.parent / "quiet"
        simulate(quiet, plan, world)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(quiet, folder)
        simulation = Simulation(folder, replace(plan, days=DAYS), world)
        for _ in simulation.run():
            pass
        simulation.stages.replace("training", _sabotaged(SABOTAGES[kind]))
        end = datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC) + timedelta(days=DAYS)
        made = simulation.retrain("sabotage", end + timedelta(hours=12), reason)
        return {"kind": kind, "reason": reason, "run": made.model_dump()}

    return run


def _sabotaged(damage: Change) -> Task[Any, Any, Any]:
    """Return the training stage that sees damaged rows."""
    from tasks.training import task as stage  # noqa: PLC0415 - imports LightGBM

    def run(inputs: Any, params: Any, out: Out) -> Any:  # noqa: ANN401 - the stage's own
        rows = damage(read_table(out.store, inputs.prepared), np.random.default_rng(0))
        damaged = write_table(out, "damaged", rows)
        return stage.run(inputs.model_copy(update={"prepared": damaged}), params, out)

    run.__annotations__ = get_type_hints(stage.run)
    return Task("training", run)


HEADS = ("sabotage", "asked as", "outcome", "why")


def table_row(result: Mapping[str, Any]) -> list[object]:
    """Return a sabotage's line."""
    return [result["kind"], result["reason"], result["run"]["outcome"], result["run"]["sentence"]]
