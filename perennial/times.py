"""Times on the command line: ISO 8601, in the problem's time zone where none is given."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from contract.errors import InvalidRequest


def parse_time(text: str, zone: str, option: str) -> datetime:
    """Return the time that `text` states; `option` is named in the error.

    Raises:
        InvalidRequest: `text` is not ISO 8601.

    >>> parse_time("2013-10-01", "UTC", "--window-end").isoformat()
    '2013-10-01T00:00:00+00:00'
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = (
            f"{option} {text!r} was found; a time is expected, "
            "such as 2013-10-01 or 2013-10-01T06:00:00+02:00."
        )
        raise InvalidRequest(sentence) from error
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=ZoneInfo(zone))


def parse_day(text: str, option: str) -> date:
    """Return the day that `text` states; `option` is named in the error.

    Raises:
        InvalidRequest: `text` is no day.

    >>> parse_day("2013-10-01", "--onset")
    datetime.date(2013, 10, 1)
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        sentence = f"{option} {text!r} was found; a day is expected, such as 2013-10-01."
        raise InvalidRequest(sentence) from error
