"""Days whose data monitoring blocked are learnt by nobody, and columns that are gone are retired."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from decision_factory import decision
from fixtures_stages import END, Before

from contract.decision import Decision, Window
from contract.errors import Refused
from contract.faults import Fault
from contract.store.documents import read_artifact
from contract.store.layout import DecisionKey
from contract.store.ledger import Ledger, LedgerEntry
from methods.columns.schema import Schema
from tasks.preprocessing.task import Inputs, Outputs, Params, run

ROWS = 240
BEGIN = datetime(2013, 5, 1, tzinfo=UTC)
SOURCE = {"rows": {"kind": "files", "path": "r.csv", "key": ["id"], "event_time": "at"}}
EMPTY = Fault(check="null", column="fare", found=1, limit=0, sentence="'fare' is empty.")
FEW = Fault(check="rows", column=None, found=0, limit=9, sentence="No row was answered.")


@pytest.fixture
def problem(before: Callable[..., Before]) -> Before:
    return before(source=SOURCE)


def prepare(problem: Before, days: int = 10) -> tuple[Outputs, pa.Table]:
    """Prepare `ROWS` rows, evenly spread over the days of May."""
    moments = [BEGIN + timedelta(days=days) * n / ROWS for n in range(ROWS)]
    rows = pa.table(
        {
            "id": list(range(ROWS)),
            "at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "fare": [n * 0.5 for n in range(ROWS)],
            "age": [n * 0.25 for n in range(ROWS)],
            "y": ["a", "b"] * (ROWS // 2),
        }
    )
    inputs = Inputs(**problem.documents(), tables={"rows": problem.table("rows", rows)})
    made = run(inputs, Params(), problem.out("preprocessing"))
    return made, problem.read(made.prepared)


def decided(problem: Before, day: int, *faults: Fault, rows: int = 24, **fields: object) -> None:
    """Write the decision of a day of May; with faults it is blocked."""
    verdict = "blocked_data_quality" if faults else "ok"
    window = Window(days=(), rows=rows, rows_of_day=rows)
    made = decision(day - 1, verdict, *faults, **{"window": window, **fields})
    write(problem, made)


def write(problem: Before, made: Decision) -> None:
    key = str(DecisionKey(problem.problem.name, made.day))
    problem.store.put(key, made.canonical())


def adopt(problem: Before, day: int | None, *subjects: str, digest: str = "a" * 64) -> None:
    ledger = Ledger(problem.store, problem.problem.name)
    at = BEGIN + timedelta(days=9, seconds=len(ledger.entries()))
    ledger.append(
        LedgerEntry(
            id=f"{at}/adopted",
            kind="adopted",
            at=at,
            written=at,
            run="by hand",
            digest=digest,
            reason="so it is",
            subjects=subjects,
            day=None if day is None else date(2013, 5, day),
        )
    )


def days_of(table: pa.Table) -> set[int]:
    return {moment.day for moment in table["at"].to_pylist()}


def test_blocked_days_are_left_out_and_counted(problem: Before) -> None:
    decided(problem, 2)
    decided(problem, 3, EMPTY)
    decided(problem, 5, EMPTY)

    made, table = prepare(problem)

    assert days_of(table) == {1, 2, 4, 6, 7, 8, 9, 10}
    assert (made.rows, made.labelled, made.left_out) == (240, 192, 48)
    assert b"monitoring blocked the data of 2013-05-03, 2013-05-05" in problem.store.read(made.page)


def test_days_are_those_of_the_problems_own_time(before: Callable[..., Before]) -> None:
    problem = before(source=SOURCE, timezone="America/New_York")
    decided(problem, 3, EMPTY)

    _, table = prepare(problem)

    left_out = {moment for moment in BEGIN_HOURS if moment not in table["at"].to_pylist()}
    assert min(left_out) == datetime(2013, 5, 3, 4, tzinfo=UTC)
    assert max(left_out) == datetime(2013, 5, 4, 3, tzinfo=UTC)


BEGIN_HOURS = [BEGIN + timedelta(hours=n) for n in range(ROWS)]


def test_a_day_that_was_accepted_is_learnt(problem: Before) -> None:
    for day in (3, 4):
        decided(problem, day, EMPTY)
    adopt(problem, 4, "column fare")

    _, table = prepare(problem)

    assert days_of(table) == set(range(1, 11))


def test_a_day_with_another_fault_than_the_accepted_one_is_not(problem: Before) -> None:
    decided(problem, 3, EMPTY)
    decided(problem, 4)
    decided(problem, 5, EMPTY, FEW)
    adopt(problem, 5, "column fare")

    _, table = prepare(problem)

    assert days_of(table) == {1, 2, 4, 6, 7, 8, 9, 10}


def test_what_was_decided_after_the_windows_end_is_not_known_yet(problem: Before) -> None:
    decided(problem, 3, EMPTY, at=END + timedelta(seconds=1))

    made, _ = prepare(problem)

    assert made.left_out == 0


def test_a_day_on_which_nothing_was_served_shows_nothing_broken(problem: Before) -> None:
    decided(problem, 3, FEW, rows=0)

    made, _ = prepare(problem)

    assert made.left_out == 0


def test_a_day_that_a_late_file_broke_is_left_out(problem: Before) -> None:
    decided(problem, 3)
    window = Window(days=(), rows=24, rows_of_day=24, excluded=(date(2013, 5, 3),))
    decided(problem, 4, window=window)

    _, table = prepare(problem)

    assert days_of(table) == {1, 2, 4, 5, 6, 7, 8, 9, 10}


def test_rows_without_a_time_are_all_kept(before: Callable[..., Before]) -> None:
    problem = before()
    decided(problem, 3, EMPTY)

    made, _ = prepare(problem)

    assert made.left_out == 0


def test_where_every_row_is_of_a_blocked_day_the_command_is_named(problem: Before) -> None:
    decided(problem, 1, EMPTY)

    with pytest.raises(Refused, match=r"All 240 labelled rows happened on the 1 days .* adopt"):
        prepare(problem, days=1)


def features(problem: Before) -> set[str]:
    made, _ = prepare(problem)
    schema = read_artifact(problem.store, made.schema, Schema)
    return {column.name for column in schema.columns}


def test_a_column_that_is_gone_for_good_is_retired_until_it_is_taken_back(problem: Before) -> None:
    decided(problem, 3, EMPTY)
    assert "fare" in features(problem)

    adopt(problem, 3, "column fare")
    assert "fare" not in features(problem)

    adopt(problem, None, "column fare")
    assert "fare" in features(problem)


def test_a_column_that_was_accepted_with_values_stays(problem: Before) -> None:
    missing = EMPTY.model_copy(update={"check": "missing"})
    decided(problem, 3, missing)
    adopt(problem, 3, "column fare")

    assert "fare" in features(problem)
