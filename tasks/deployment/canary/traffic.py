"""Rows that are sent to a canary while it bakes: golden rows, and some that clients sent lately."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import pstdev

import pyarrow as pa
import pyarrow.parquet as pq

from bundle import Model
from bundle.documents import Contract
from bundle.request import complaints
from contract.prediction_log import feature_column
from contract.rollout.target import RolloutFailed
from contract.store.client import Store
from contract.store.layout import PredictionsKey, parse_keys

Row = dict[str, bool | int | float | str | None]

MAX_FILES = 3  # of the newest; each holds what one pod answered within 5 s
MAX_ROWS = 200
MIN_ROWS = 20  # below which agreement says nothing
# Arbitrary: a model that decides fewer than half of the rows alike answers another question.
MIN_AGREEMENT = 0.5
_BOOLEANS = {"true": True, "false": False}


def bake_rows(
    store: Store, problem: str, model: Model, champion: Model, now: datetime
) -> list[Row]:
    """Return rows that a caller may send to either model."""
    rows = [*(golden.row for golden in model.golden.rows), *_logged(store, problem, model, now)]
    contracts = (model.contract, champion.contract)
    return [row for row in rows if not any(complaints(contract, row) for contract in contracts)]


def agreement(model: Model, champion: Model, rows: Sequence[Row]) -> float | None:
    """Return the share of the rows that both models decide alike; None: too few rows.

    Values are alike where they differ by no more than the champion's own values vary.
    """
    if len(rows) < MIN_ROWS:
        return None
    pairs = [(model.decide(model.one(row)), champion.decide(champion.one(row))) for row in rows]
    if model.contract.task != "regression":
        return sum(one == other for one, other in pairs) / len(pairs)
    spread = pstdev(float(other) for _, other in pairs)
    return sum(abs(float(one) - float(other)) <= spread for one, other in pairs) / len(pairs)


def check_agreement(share: float | None) -> None:
    """Go on only if the models agree well enough.

    Raises:
        RolloutFailed: they do not.
    """
    if share is not None and share < MIN_AGREEMENT:
        sentence = (
            f"The canary decides {100 * share:.0f}% of the rows as the champion does; at least "
            f"{100 * MIN_AGREEMENT:g}% are expected of a model that answers the same question."
        )
        raise RolloutFailed(sentence)


def _logged(store: Store, problem: str, model: Model, now: datetime) -> list[Row]:
    """Return rows of the last hour's prediction log, as a caller would send them."""
    hour = now - timedelta(hours=1)
    after = PredictionsKey.prefix(problem, day=f"{hour:%Y-%m-%d}", hour=f"{hour:%H}")
    keys = store.keys(PredictionsKey.prefix(problem), start_after=after)
    rows: list[Row] = []
    for key in list(parse_keys(keys, PredictionsKey))[-MAX_FILES:]:
        table = pq.read_table(pa.BufferReader(store.get(str(key))), partitioning=None)
        rows += [_request_row(model.contract, line) for line in table.to_pylist()]
    return rows[-MAX_ROWS:]


def _request_row(contract: Contract, line: Mapping[str, object]) -> Row:
    row: Row = {}
    for column in contract.columns:
        value = line.get(feature_column(column.name))
        if isinstance(value, float | str):
            is_boolean = column.type == "boolean"
            row[column.name] = _BOOLEANS.get(str(value), value) if is_boolean else value
    return row
