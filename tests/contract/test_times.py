from datetime import UTC, datetime, timedelta

from contract.times import CLOCKS_DIFFER, is_to_come


def test_what_has_passed_is_not_to_come() -> None:
    assert not is_to_come(datetime(2013, 5, 1, tzinfo=UTC))
    assert is_to_come(datetime(9999, 1, 1, tzinfo=UTC))


def test_clocks_of_two_machines_may_differ() -> None:
    assert not is_to_come(datetime.now(UTC) + CLOCKS_DIFFER - timedelta(minutes=1))
