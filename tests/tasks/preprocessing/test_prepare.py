"""Preprocessing joins and cleans row by row; it fits nothing and keeps labelled rows only."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from fixtures_stages import Before

from contract.errors import InvalidRequest, Refused
from contract.store.documents import read_artifact
from methods.columns.schema import Schema
from tasks.preprocessing.task import Inputs, Outputs, Params, run

N = 200
START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(**more: list[Any]) -> pa.Table:
    given = {"id": list(range(N)), "x": [i * 0.5 for i in range(N)], "y": ["a", "b"] * (N // 2)}
    return pa.table({**given, **more})


def prepare(before: Before, table: pa.Table, **sources: pa.Table) -> tuple[Outputs, pa.Table]:
    tables = {"rows": before.table("rows", table)}
    tables |= {name: before.table(name, other) for name, other in sources.items()}
    inputs = Inputs(**before.documents(), tables=tables)
    made = run(inputs, Params(), before.out("preprocessing"))
    return made, before.read(made.prepared)


def test_texts_are_trimmed_and_empty_ones_are_missing(before: Callable[..., Before]) -> None:
    _, table = prepare(before(), rows(word=[" a ", "", "  ", None] * 50))

    assert ["a", None, None, None] == table["word"].to_pylist()[:4]


def test_numbers_are_doubles_or_whole_and_never_nan(before: Callable[..., Before]) -> None:
    _, table = prepare(
        before(),
        rows(
            small=pa.array([1, 2] * 100, pa.int8()),
            price=[Decimal("1.50"), None] * 100,
            odd=[float("nan"), float("inf"), 1.0, -0.5] * 50,
        ),
    )

    assert ["int64", "double"] == [str(table[name].type) for name in ("small", "price")]
    assert [None, None, 1.0, -0.5] == table["odd"].to_pylist()[:4]


def test_times_are_instants(before: Callable[..., Before]) -> None:
    made = before(timezone="America/New_York")

    _, table = prepare(
        made,
        rows(day=[date(2026, 1, 1)] * N, moment=[datetime(2026, 7, 1, 12)] * N),  # noqa: DTZ001 - without a zone on purpose
    )

    assert datetime(2026, 1, 1, 5, tzinfo=UTC) == table["day"][0].as_py()
    assert datetime(2026, 7, 1, 16, tzinfo=UTC) == table["moment"][0].as_py()


def test_a_text_that_is_declared_a_number_becomes_one(before: Callable[..., Before]) -> None:
    made = before(columns={"code": {"role": "number"}})

    _, table = prepare(made, rows(code=["1.5", "x"] * 100))

    assert [1.5, None] == table["code"].to_pylist()[:2]


def test_nested_columns_are_left_out(before: Callable[..., Before]) -> None:
    _, table = prepare(before(), rows(tags=[[1, 2]] * N))

    assert ["id", "x", "y"] == table.column_names


def test_unlabelled_rows_are_kept_out_and_counted(before: Callable[..., Before]) -> None:
    made, table = prepare(before(), rows(y=["a", "b", None, "a"] * 50))

    assert (made.rows, made.labelled, made.unlabelled) == (200, 150, 50)
    assert None not in table["y"].to_pylist()


def test_rows_are_sorted_by_event_time_then_key(before: Callable[..., Before]) -> None:
    source = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"}}
    times = [START + timedelta(days=(i * 7) % 100) for i in range(N)]

    _, table = prepare(before(source=source), rows(at=times))

    order = list(zip(table["at"].to_pylist(), table["id"].to_pylist(), strict=True))
    assert sorted(order) == order


def test_labels_that_are_not_final_wait(before: Callable[..., Before]) -> None:
    """Where a row does not say when it was known, and labels take ten days."""
    source = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"}}
    target = {"column": "y", "labels": {"from": "rows", "horizon": "10d"}}
    times = [datetime(2026, 6, 1, tzinfo=UTC) - timedelta(hours=12 * i) for i in range(N)]

    made, _ = prepare(before(source=source, target=target), rows(at=times))

    assert made.unlabelled == 20


def test_dropped_columns_and_times_of_knowing_are_gone(before: Callable[..., Before]) -> None:
    source = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "known_at": "landed"}}
    made = before(source=source, features={"drop": ["delay"]})

    _, table = prepare(made, rows(landed=[START] * N, delay=[1.0] * N))

    assert ["id", "x", "y"] == table.column_names


def test_other_sources_are_joined_in_time(before: Callable[..., Before]) -> None:
    sources = {
        "rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"},
        "weather": {"kind": "files", "path": "w.csv", "key": ["seen"], "event_time": "seen"},
    }
    made = before(source=sources, features={"join": {"weather": {"on": ["place"], "as_of": "at"}}})
    times = [START + timedelta(hours=i) for i in range(N)]
    weather = pa.table(
        {"place": ["A"] * N, "seen": [t - timedelta(minutes=30) for t in times], "t": range(N)}
    )

    _, table = prepare(made, rows(at=times, place=["A"] * N), weather=weather)

    assert list(range(N)) == table["t"].to_pylist()


def test_the_schema_is_of_development_rows_only(before: Callable[..., Before]) -> None:
    """A value that only the vault holds leaves no trace in the schema."""
    source = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"}}
    times = [START + timedelta(days=i // 2) for i in range(N)]
    numbers = [1.0 * i for i in range(N - 1)] + [1e9]

    stage = before(source=source)
    made, _ = prepare(stage, rows(at=times, number=numbers))

    schema = read_artifact(stage.store, made.schema, Schema)
    limits = next(column.range for column in schema.columns if column.name == "number")
    assert limits is not None
    assert limits[1] < 175


def test_the_same_inputs_give_the_same_bytes(before: Callable[..., Before]) -> None:
    stage = before()

    assert prepare(stage, rows())[0] == prepare(stage, rows())[0]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"target": {"column": "z"}}, InvalidRequest, "'z'.*target.column"),
        ({"features": {"drop": ["z"]}}, InvalidRequest, "'z'.*features.drop"),
        ({"columns": {"z": {"unit": "m"}}}, InvalidRequest, "'z'.*columns.z"),
    ],
)
def test_names_that_are_not_there_are_an_invalid_request(
    before: Callable[..., Before], given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        prepare(before(**given), rows())


def test_no_label_at_all_is_refused(before: Callable[..., Before]) -> None:
    with pytest.raises(Refused, match="None of the 200 rows has a label in 'y'"):
        prepare(before(), rows(y=pa.nulls(N, pa.string()).to_pylist()))
