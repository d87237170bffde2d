"""Times as microseconds since 1970 in UTC, the unit of every table and log; what is to come."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return an aware moment as microseconds since 1970, exactly.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, 5, UTC))
    1000005
    """
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


# Clocks of two machines differ by seconds; arbitrary.
CLOCKS_DIFFER = timedelta(minutes=5)


def is_to_come(moment: datetime) -> bool:
    """Return True where `moment` has not come yet: of the end of a window nothing is known then.

    The one question to the clock whose answer decides anything: only problem stage and command ask.
    """
    return moment > datetime.now(UTC) + CLOCKS_DIFFER
