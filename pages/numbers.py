"""How a value is written for a person: one function for numbers, so that all pages agree.

`number` takes anything that may stand in a table's cell. `share`, `seconds` and `size` are for
values whose unit is known.
"""

import math
from datetime import UTC, date, datetime, timedelta
from numbers import Integral, Real

MISSING = "\N{EN DASH}"
_SPACE = "\N{NO-BREAK SPACE}"  # a unit stays with its number
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_WRITTEN_OUT = 1e15  # arbitrary: past it a reader counts digits instead of reading them
_ZEROS_WRITTEN_OUT = 4  # 0.0000123 is still read at a glance, one more zero is not


def number(value: object, digits: int = 3) -> str:  # noqa: PLR0911 (a return a kind of value)
    """Write a value as a person would: `digits` significant digits, thousands separated.

    None and NaN become an en dash, truth becomes yes or no, times are UTC, texts stay as they are.
    A whole number keeps all its digits; a number too small or too large to read is written with
    a power of ten.

    >>> number(1234567), number(1234.5678), number(0.71234), number(0.5)
    ('1,234,567', '1,235', '0.712', '0.500')
    >>> number(float("nan")) == number(None) == "\N{EN DASH}"
    True
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return _signed(f"{int(value):,}")
    if isinstance(value, Real):
        return _signed(_real(float(value), digits))
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return seconds(value.total_seconds())
    return str(value)


def share(value: float | None, digits: int = 3) -> str:
    r"""Write a share of one as a percentage.

    >>> share(0.0123), share(1)
    ('1.23\xa0%', '100\xa0%')
    """
    if value is None or math.isnan(value):
        return MISSING
    return f"{number(round(100 * float(value), 12), digits)}{_SPACE}%"


def seconds(value: float | None) -> str:
    r"""Write a duration given in seconds, in the two largest units that matter.

    >>> seconds(0.0042), seconds(8.31), seconds(95), seconds(90_000)
    ('4.20\xa0ms', '8.31\xa0s', '1\xa0min 35\xa0s', '1\xa0d 1\xa0h')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 0:
        return _signed(f"-{seconds(-value)}")
    if value == 0:
        return f"0{_SPACE}s"
    for limit, scale, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (60, 1, "s")):
        if value < limit:
            return f"{number(value * scale)}{_SPACE}{unit}"
    left = round(value)
    parts: list[str] = []
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        parts.append(f"{left // length}{_SPACE}{unit}")
        left %= length
    first = next(i for i, part in enumerate(parts) if not part.startswith(f"0{_SPACE}"))
    return " ".join(part for part in parts[first : first + 2] if not part.startswith(f"0{_SPACE}"))


def size(value: float | None) -> str:
    r"""Write a number of bytes, in powers of ten as disks are sold.

    >>> size(512), size(120_000), size(2_340_000)
    ('512\xa0B', '120\xa0kB', '2.34\xa0MB')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    for limit, unit in ((1e3, "B"), (1e6, "kB"), (1e9, "MB"), (1e12, "GB")):
        if abs(value) < limit:
            return f"{number(value / limit * 1e3)}{_SPACE}{unit}"
    return f"{number(value / 1e12)}{_SPACE}TB"


def _real(value: float, digits: int) -> str:
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    magnitude = int(f"{value:.{digits - 1}e}".split("e")[1])  # of the rounded value
    if magnitude < -_ZEROS_WRITTEN_OUT - 1 or abs(value) >= _LARGEST_WRITTEN_OUT:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa} \N{MULTIPLICATION SIGN} 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}"


def _signed(text: str) -> str:
    """Replace the hyphen in front by a minus sign, which is as wide as a digit."""
    return f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else text


def _moment(value: datetime) -> str:
    """Write a time to the second where it has seconds, in UTC where it has a zone."""
    precision = "%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M"
    if value.tzinfo is None:
        return value.strftime(precision)
    return f"{value.astimezone(UTC).strftime(precision)} UTC"
