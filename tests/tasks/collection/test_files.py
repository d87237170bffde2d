"""Landed files: known by content, read once, typed once."""

import gzip
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixtures_sources import Collection, write_parquet

from contract.errors import InvalidRequest, Refused


def test_only_new_files_are_read(files_of: Callable[..., Collection], landing: Path) -> None:
    events = files_of()
    (landing / "1.csv").write_text("id,value\n1,10\n2,20\n")
    events.run("first")
    (landing / "2.csv").write_text("value,id\n30,3\n")

    assert events.run("second") == 1
    assert rows(events) == [(1, 10), (2, 20), (3, 30)]


def test_a_file_that_was_touched_is_not_read_again(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    events = files_of()
    (landing / "1.csv").write_text("id,value\n1,10\n")
    events.run("first")
    os.utime(landing / "1.csv", (1, 1))

    assert events.run("second") == 0
    assert events.head().generation == 1


def test_a_changed_file_is_read_again_and_its_newer_version_wins(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    events = files_of()
    (landing / "1.csv").write_text("id,value\n1,10\n2,20\n")
    events.run("first")
    (landing / "1.csv").write_text("id,value\n1,11\n2,20\n")

    events.run("second")

    assert rows(events) == [(1, 11), (2, 20)]


def test_rows_of_the_future_wait_and_are_read_when_they_are_known(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    events = files_of(known_at="at")
    (landing / "1.csv").write_text(
        "id,value,at\n1,10,2026-01-01T00:00:00Z\n2,20,2026-03-01T00:00:00Z\n"
    )

    assert events.run("first", end=datetime(2026, 2, 1, tzinfo=UTC)) == 1
    events.run("second", end=datetime(2026, 4, 1, tzinfo=UTC))

    assert rows(events) == [(1, 10), (2, 20)]
    assert events.run("third", end=datetime(2026, 5, 1, tzinfo=UTC)) == 0


def test_types_are_the_first_loads(files_of: Callable[..., Collection], landing: Path) -> None:
    """A day whose postcodes all look like numbers does not turn a text column into numbers."""
    events = files_of()
    (landing / "1.csv").write_text("id,value\n1,A1\n2,20\n")
    events.run("first")
    (landing / "2.csv").write_text("id,value\n3,007\n")

    events.run("second")

    assert rows(events) == [(1, "A1"), (2, "20"), (3, "007")]


def test_every_row_is_looked_at_before_a_type_is_fixed(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    events = files_of()
    lines = [f"{i},{i}" for i in range(30_000)] + ["30000,1.5"]
    (landing / "1.csv").write_text("id,value\n" + "\n".join(lines) + "\n")

    events.run("first")

    assert events.head().columns == {"id": "BIGINT", "value": "DOUBLE"}


def test_a_value_of_another_type_is_refused(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    events = files_of()
    (landing / "1.csv").write_text("id,value\n1,10\n")
    events.run("first")
    (landing / "2.csv").write_text("id,value\n2,abc\n")

    with pytest.raises(Refused, match=r'(?s)column "value".*"abc"'):
        events.run("second")


def test_a_dropped_column_is_refused_even_where_other_files_have_it(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    events = files_of()
    (landing / "1.csv").write_text("id,value\n1,10\n")
    events.run("first")
    (landing / "2.csv").write_text("id,value\n2,20\n")
    (landing / "3.csv").write_text("id,other\n3,30\n")

    with pytest.raises(Refused, match=r"\+ other BIGINT; - value BIGINT"):
        events.run("second")


@pytest.mark.parametrize("name", ["1.csv.gz", "1.jsonl", "1.jsonl.gz", "1.parquet"])
def test_every_kind_of_file_is_read(
    files_of: Callable[..., Collection], landing: Path, name: str
) -> None:
    if name.endswith("parquet"):
        write_parquet("select 1 as id, 10 as value", landing / name)
    else:
        text = "id,value\n1,10\n" if ".csv" in name else '{"id": 1, "value": 10}\n'
        body = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
        (landing / name).write_bytes(body)
    events = files_of(pattern=name)

    events.run("first")

    assert rows(events) == [(1, 10)]


@pytest.mark.parametrize(
    ("name", "body"),
    [("1.csv.gz", b"\x1f\x8bgarbage"), ("1.parquet", b"PAR1garbage")],
)
def test_an_unreadable_file_is_refused(
    files_of: Callable[..., Collection], landing: Path, name: str, body: bytes
) -> None:
    (landing / name).write_bytes(body)

    with pytest.raises(Refused, match="cannot be read"):
        files_of(pattern=name).run("first")


def test_a_pattern_without_files_is_refused(files_of: Callable[..., Collection]) -> None:
    with pytest.raises(Refused, match=r"No file matches"):
        files_of().run("first")


def test_an_unset_place_is_named(files_of: Callable[..., Collection]) -> None:
    events = files_of()
    events.environment = {}

    with pytest.raises(InvalidRequest, match="names LANDING, which is not set"):
        events.run("first")


def test_an_unknown_kind_of_file_is_named(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    (landing / "1.xlsx").write_bytes(b"x")

    with pytest.raises(InvalidRequest, match=r"'1.xlsx' is of no known kind"):
        files_of(pattern="*.xlsx").run("first")


def test_yes_and_no_stay_words(files_of: Callable[..., Collection], landing: Path) -> None:
    (landing / "1.csv").write_text("id,value,flag\n1,yes,true\n2,no,false\n")
    events = files_of()

    events.run("first")

    assert events.head().columns == {"id": "BIGINT", "value": "VARCHAR", "flag": "BOOLEAN"}


def test_a_column_that_is_empty_in_one_file_has_its_type_from_the_others(
    files_of: Callable[..., Collection], landing: Path
) -> None:
    (landing / "1.csv").write_text("id,value\n1,\n2,NA\n")
    (landing / "2.csv").write_text("id,value\n3,1.5\n")
    events = files_of()

    events.run("first")

    assert [(1, None), (2, None), (3, 1.5)] == rows(events)


def test_other_dialects_are_read(files_of: Callable[..., Collection], landing: Path) -> None:
    (landing / "1.csv").write_text('id;value;day\n1;"a;b";31/01/2026\n2;c;01/02/2026\n')
    events = files_of()

    events.run("first")

    assert [(1, "a;b"), (2, "c")] == rows(events)
    assert "DATE" == events.head().columns["day"]


def rows(events: Collection) -> list[tuple[object, ...]]:
    table = events.current()
    return list(zip(table["id"].to_pylist(), table["value"].to_pylist(), strict=True))
