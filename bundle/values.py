"""How one raw value is understood: a number, a category, an instant. The policy of every column.

None, NaN, "" and an absent key are missing. A value that cannot be used (an infinity, "abc",
"1_0", 30 February) counts as missing too, and is counted by the encoder.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from bundle.plans import DatePart

NAN = math.nan
_HUGE = 1e300  # an integer beyond has no float64, or a meaningless one
_EPOCH = 719_163  # the ordinal of 1970-01-01
_DAY = 86_400  # seconds
_NEW_YEAR = [0, *(datetime(year, 1, 1, tzinfo=UTC).toordinal() for year in range(1, 10_000))]


class Unusable(Exception):
    """The value had to be replaced by a missing one."""


def number(value: object) -> float:
    """Return the value as a finite float, NaN for a missing one.

    Raises:
        Unusable: for an infinity, an integer beyond 1e300, text that is no plain number.

    >>> number(" 2.5 "), number(True), number(None)
    (2.5, 1.0, nan)
    """
    if isinstance(value, float):
        if value - value == 0.0:  # finite: the fastest test there is
            return value
        if math.isnan(value):
            return NAN
        raise Unusable
    if value is None or (isinstance(value, str) and not value):
        return NAN
    if isinstance(value, int):
        if -_HUGE < value < _HUGE:
            return float(value)
        raise Unusable
    return _parsed(value)


def key(value: object) -> str | None:  # noqa: PLR0911 - a return for each type of value
    """Return the canonical spelling of a category, None for a missing one.

    Raises:
        Unusable: for an infinity, an integer beyond 1e300, a value that is no scalar.

    >>> key(7), key(7.0), key("7"), key(True)
    ('7', '7', '7', 'true')
    """
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if -_HUGE < value < _HUGE:
            return str(value)
        raise Unusable
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            raise Unusable
        return str(int(value)) if value.is_integer() else repr(float(value))
    if isinstance(value, Decimal):
        return key(int(value) if value.is_finite() and value % 1 == 0 else float(value))
    return key(_unboxed(value))


def instant(value: object) -> datetime | None:
    """Return the value as an aware datetime in UTC, None for a missing one; naive ones are UTC.

    Raises:
        Unusable: for text that is not ISO 8601, a day that does not exist, another type.

    >>> instant("2024-02-29T23:30:00-01:00").isoformat()
    '2024-03-01T00:30:00+00:00'
    """
    naive = naive_instant(value)
    return None if naive is None else naive.replace(tzinfo=UTC)


def naive_instant(value: object) -> datetime | None:
    """Return what `instant` does, without its time zone: at half the cost, for the encoder.

    Raises:
        Unusable: as `instant` does.
    """
    if value is None or value == "" or value != value:  # noqa: PLR0124 - NaN
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(at, datetime):
            if not isinstance(at, date):
                raise Unusable
            return datetime(at.year, at.month, at.day)  # noqa: DTZ001 - in UTC, see above
        return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise Unusable from error


DATE_PARTS: dict[DatePart, Callable[[datetime, int], float]] = {
    # A part sees the instant and its ordinal (days since 0001-01-01, that day being 1).
    "year": lambda at, _: at.year,
    "month": lambda at, _: at.month,
    "day": lambda at, _: at.day,
    "hour": lambda at, _: at.hour,
    "minute": lambda at, _: at.minute,
    "weekday": lambda _, ordinal: (ordinal + 6) % 7,  # Monday is 0
    "dayofyear": lambda at, ordinal: ordinal - _NEW_YEAR[at.year] + 1,
    "days": lambda at, ordinal: (
        ordinal - _EPOCH + (at.hour * 3600 + at.minute * 60 + at.second) / _DAY
    ),
}


def _parsed(value: object) -> float:
    if isinstance(value, str):
        try:
            parsed = float(value)
        except ValueError as error:
            raise Unusable from error
        # float() also reads "1_0", "nan" and "inf": a person who writes these means no number.
        if math.isfinite(parsed) and "_" not in value:
            return parsed
        raise Unusable
    if isinstance(value, Decimal):
        return number(float(value)) if not value.is_snan() else NAN
    return number(_unboxed(value))


def _unboxed(value: object) -> object:
    """Return the Python scalar in a numpy scalar."""
    item = getattr(value, "item", None)
    inner = item() if callable(item) and getattr(value, "ndim", None) == 0 else None
    if isinstance(inner, bool | int | float | str):
        return inner
    raise Unusable
