"""Bake rows are what a caller may send: golden rows, and rows of the last hour's log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_factory import GOLDEN, ROW, Keys, Made

import bundle
from bundle import signing
from contract.rollout.target import RolloutFailed
from tasks.deployment.canary.traffic import MAX_ROWS, agreement, bake_rows, check_agreement

NOW = datetime(2024, 6, 1, 10, 30, tzinfo=UTC)


@pytest.fixture
def load(keys: Keys) -> Callable[[Made], bundle.Model]:
    known = signing.public_keys(keys.folder)
    return lambda made: bundle.load(made.folder, keys=known)


def put(ground: Any, moment: datetime, rows: list[dict[str, Any]]) -> None:
    """Write a file of the prediction log, with everything but numbers as text."""
    table = pa.Table.from_pylist(rows)
    file = BytesIO()
    pq.write_table(table, file)
    name = f"dt={moment:%Y-%m-%d}/hour={moment:%H}/pod-1-{moment:%M}.parquet"
    ground.store.put(f"{ground.problem}/predictions/{name}", file.getvalue())


def line(**changes: object) -> dict[str, object]:
    row = {name: value for name, value in ROW.items() if name not in {"customer", "signed_at"}}
    return {f"in.{name}": value for name, value in (row | {"member": "true"} | changes).items()}


def test_rows_come_back_as_a_caller_sent_them(
    ground: Any, make: Callable[..., Made], load: Callable[[Made], bundle.Model]
) -> None:
    model = load(make("new"))
    put(ground, NOW, [line(age=33.0, member="false", income=None)])

    rows = bake_rows(ground.store, ground.problem, model, model, NOW)

    assert rows[-1] == {"age": 33.0, "member": False, "city": "Oslo", "joined": "2020-02-29"}
    assert len(rows) == 4  # three of five golden rows can be sent


def test_only_the_last_hour_and_so_many_rows_are_read(
    ground: Any, make: Callable[..., Made], load: Callable[[Made], bundle.Model]
) -> None:
    model = load(make("new"))
    put(ground, NOW - timedelta(hours=2), [line(age=1.0)])
    put(ground, NOW - timedelta(minutes=5), [line(age=2.0)] * (MAX_ROWS + 9))

    rows = bake_rows(ground.store, ground.problem, model, model, NOW)

    assert {row["age"] for row in rows} == {2.0, *(row.get("age") for row in GOLDEN[:3])}
    assert sum(row["age"] == 2.0 for row in rows) == MAX_ROWS


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_model_agrees_with_itself_and_not_with_a_strange_one(
    ground: Any, make: Callable[..., Made], load: Callable[[Made], bundle.Model], kind: str
) -> None:
    model, strange = load(make("a", kind=kind)), load(make("b", kind=kind, bias=-50.0))
    rows: Any = [ROW | {"age": 20.0 + index, "income": 40.0 * index} for index in range(40)]

    assert agreement(model, model, rows) == 1.0
    assert agreement(model, model, rows[:19]) is None
    found = agreement(strange, model, rows)
    assert found is not None
    if kind != "multiclass":  # a bias for all classes changes none
        assert found < 0.5


def test_too_little_agreement_is_a_failure() -> None:
    check_agreement(None)
    check_agreement(0.5)
    with pytest.raises(
        RolloutFailed, match="decides 49% of the rows as the champion does; at least 50%"
    ):
        check_agreement(0.494)
