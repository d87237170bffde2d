"""The ledger as lines: the repeats of a fault in older ledgers are one line."""

from datetime import UTC, datetime, timedelta

from contract.ledger_lines import ledger_lines
from contract.store.ledger import LedgerEntry

START = datetime(2013, 5, 23, tzinfo=UTC)
UNIT = "'distance' is 1.61 times what it was, at every quantile alike: another unit."


def entry(day: float, kind: str = "blocked", reason: str = UNIT) -> LedgerEntry:
    return LedgerEntry.model_validate(
        {
            "id": f"monitoring/{day}/{kind}",
            "kind": kind,
            "at": START + timedelta(days=day),
            "written": START,
            "run": "run",
            "reason": reason,
        }
    )


def test_blocked_days_in_a_row_are_one_line() -> None:
    entries = [entry(-1, "deployed", "better"), *map(entry, range(7)), entry(9, "retrain", "worse")]

    lines = ledger_lines(entries)

    assert [line.entry.kind for line in lines] == ["deployed", "blocked", "retrain"]
    assert [line.days for line in lines] == [1, 7, 1]
    assert lines[1].reason == f"{UNIT} (7 days, until 2013-05-29)"
    assert lines[0].reason == "better"


def test_the_numbers_of_a_fault_may_differ_and_its_column_may_not() -> None:
    same = [entry(0, reason="'a' is missing in 30%."), entry(1, reason="'a' is missing in 41.5%.")]
    other = [entry(0, reason="'a' is missing in 30%."), entry(1, reason="'b' is missing in 30%.")]

    assert (len(ledger_lines(same)), len(ledger_lines(other))) == (1, 2)


def test_a_day_of_25_hours_is_no_gap_and_a_day_without_an_entry_is() -> None:
    assert len(ledger_lines([entry(0), entry(25 / 24)])) == 1
    assert len(ledger_lines([entry(0), entry(2)])) == 2


def test_only_blocked_entries_are_folded() -> None:
    twice = [entry(0, "retrain"), entry(1, "retrain")]

    assert len(ledger_lines(twice)) == 2
    assert ledger_lines([]) == []
