"""Moments as people type them: a date or a time, in the problem's time zone where none is given."""

from datetime import datetime
from zoneinfo import ZoneInfo

from contract.errors import AskedWrongly


def parse_moment(text: str, zone: str, option: str) -> datetime:
    """Return the moment that `text` names.

    Raises:
        AskedWrongly: it is not ISO 8601.

    >>> parse_moment("2013-10-01", "UTC", "--window-end").isoformat()
    '2013-10-01T00:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = (
            f"{option} {text!r} was found; a time is expected, "
            "such as 2013-10-01 or 2013-10-01T06:00:00+02:00."
        )
        raise AskedWrongly(sentence) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))


def written(moment: datetime | str | None) -> str:
    """Return a moment as tables show it, to the minute; a hyphen for none.

    >>> written("2013-10-01T06:00:00+00:00")
    '2013-10-01 06:00'
    """
    if moment is None:
        return "-"
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found.strftime("%Y-%m-%d %H:%M")
