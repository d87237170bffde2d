"""Rows that a canary is asked while it bakes: the golden ones, and some that clients asked lately."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import pstdev

import pyarrow as pa
import pyarrow.parquet as pq

from bundle import Model
from bundle.documents import Contract
from bundle.request import complaints
from contract.prediction_log import feature_column
from contract.store.client import Store
from contract.store.layout import PredictionsKey, parse_keys
from tasks.deployment.checks import Failed

Row = dict[str, bool | int | float | str | None]

FILES = 3  # of the newest; each holds what one pod answered within 5 s
MOST_ROWS = 200
FEWEST_ROWS = 20  # below which agreement says nothing
# Arbitrary: a model that decides fewer than half of the rows alike answers another question.
LEAST_AGREEMENT = 0.5
_TRUTH = {"true": True, "false": False}


def bake_rows(
    store: Store, problem: str, model: Model, champion: Model, now: datetime
) -> list[Row]:
    """Return rows that a caller may send to either model."""
    found = [*(golden.row for golden in model.golden.rows), *_logged(store, problem, model, now)]
    contracts = (model.contract, champion.contract)
    return [row for row in found if not any(complaints(contract, row) for contract in contracts)]


def agreement(model: Model, champion: Model, rows: Sequence[Row]) -> float | None:
    """Return the share of the rows that both models decide alike; None: too few rows.

    Values are alike where they differ by no more than the champion's own values vary.
    """
    if len(rows) < FEWEST_ROWS:
        return None
    pairs = [(model.decide(model.one(row)), champion.decide(champion.one(row))) for row in rows]
    if model.contract.task != "regression":
        return sum(one == other for one, other in pairs) / len(pairs)
    spread = pstdev(float(other) for _, other in pairs)
    return sum(abs(float(one) - float(other)) <= spread for one, other in pairs) / len(pairs)


def check_agreement(found: float | None) -> None:
    """Go on only if the models agree well enough.

    Raises:
        Failed: they do not.
    """
    if found is not None and found < LEAST_AGREEMENT:
        sentence = (
            f"The canary decides {100 * found:.0f}% of the rows as the champion does; at least "
            f"{100 * LEAST_AGREEMENT:g}% are expected of a model that answers the same question."
        )
        raise Failed(sentence)


def _logged(store: Store, problem: str, model: Model, now: datetime) -> list[Row]:
    """Return rows of the last hour's prediction log, as a caller would send them."""
    hour = now - timedelta(hours=1)
    after = PredictionsKey.prefix(problem, day=f"{hour:%Y-%m-%d}", hour=f"{hour:%H}")
    keys = store.keys(PredictionsKey.prefix(problem), start_after=after)
    found: list[Row] = []
    for key in list(parse_keys(keys, PredictionsKey))[-FILES:]:
        table = pq.read_table(pa.BufferReader(store.get(str(key))), partitioning=None)
        found += [_sent(model.contract, line) for line in table.to_pylist()]
    return found[-MOST_ROWS:]


def _sent(contract: Contract, line: Mapping[str, object]) -> Row:
    row: Row = {}
    for column in contract.columns:
        value = line.get(feature_column(column.name))
        if isinstance(value, float | str):
            is_truth = column.type == "boolean"
            row[column.name] = _TRUTH.get(str(value), value) if is_truth else value
    return row
