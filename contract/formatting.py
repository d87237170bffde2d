"""How a value becomes text for a person: the one place for terminal, Airflow, logs and pages.

`format_value` takes anything that may stand in a table's cell; the other functions are for values
whose kind is known. A unit stands behind a no-break space and a minus sign is a real one, as pages
need them; `plain_text` turns both into what a terminal or a log can copy and search.
How a problem file spells durations and sizes (`36h`, `200MB`) is `contract.problem.units`.
"""

import math
from datetime import UTC, date, datetime, timedelta
from numbers import Integral, Real

MISSING = "\N{EN DASH}"
DIGEST_CHARACTERS = 12  # arbitrary: 48 bits name a model among all that a problem ever had
_SPACE = "\N{NO-BREAK SPACE}"  # a unit stays with its number
_MINUS = "\N{MINUS SIGN}"  # as wide as a digit
_PLAIN = str.maketrans({_SPACE: " ", _MINUS: "-"})
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_WRITTEN_OUT = 1e15  # arbitrary: past it a reader counts digits instead of reading them
_ZEROS_WRITTEN_OUT = 4  # 0.0000123 is still read at a glance, one more zero is not
_SHA256_CHARACTERS = 64
_SUREST = 0.999
_CURRENCIES = frozenset("$€£¥")
_SCORE_DIGITS = 4  # of a metric between 0 and 1: a thousandth is seen, and its rounding


def format_value(value: object, digits: int = 3) -> str:  # noqa: PLR0911 (a return a kind of value)
    """Write a value as a person would: `digits` significant digits, thousands separated.

    None and NaN become an en dash, truth becomes yes or no, times are UTC, texts stay as they are.
    A whole number keeps all its digits; a number too small or too large to read is written with
    a power of ten.

    >>> format_value(1234567), format_value(1234.5678), format_value(0.71234), format_value(0.5)
    ('1,234,567', '1,235', '0.712', '0.500')
    >>> format_value(float("nan")) == format_value(None) == "\N{EN DASH}"
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
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value.total_seconds())
    return str(value)


def format_share(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    r"""Write a share of one as a percentage; `signed` for a difference: a gain has a plus in front.

    >>> format_share(0.0123), format_share(1), format_share(0.05, signed=True)
    ('1.23\xa0%', '100\xa0%', '+5\xa0%')
    """
    if value is None or math.isnan(value):
        return MISSING
    plus = "+" if signed and value > 0 else ""
    return f"{plus}{format_value(round(100 * float(value), 12), digits)}{_SPACE}%"


def format_score(
    value: float | None,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
    *,
    signed: bool = False,
) -> str:
    r"""Write a score or a gain, and its interval: `unit` None is a bare number, else of a decision.

    A currency's sign stands in front, another unit behind; `signed` for a gain: it has its sign.

    >>> format_score(1.2534, "$", 1.018, 1.4731), format_score(0.514, "$", signed=True)
    ('$1.25 a decision [1.02, 1.47]', '+$0.514 a decision')
    >>> format_score(0.51, "minutes", signed=True), format_score(0.71234)
    ('+0.510\xa0minutes a decision', '0.7123')
    """
    if value is None or math.isnan(value):
        return MISSING
    digits = _SCORE_DIGITS if unit is None else 3
    amount = _in_unit(value, format_value(abs(value), digits), unit, signed=signed)
    text = f"{amount}{'' if unit is None else ' a decision'}"
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return text
    return f"{text} [{format_value(low, digits)}, {format_value(high, digits)}]"


def format_amount(value: float, unit: str | None = None, *, signed: bool = False) -> str:
    r"""Write a sum of what many decisions were worth, in whole units.

    >>> format_amount(10_488.4, "$", signed=True), format_amount(7.0, "minutes"), format_amount(3)
    ('+$10,488', '7\xa0minutes', '3')
    """
    return _in_unit(value, f"{abs(value):,.0f}", unit, signed=signed)


def _in_unit(value: float, text: str, unit: str | None, *, signed: bool) -> str:
    """Return the text of a value's size with its sign and unit."""
    if unit in _CURRENCIES:
        text = f"{unit}{text}"
    elif unit:
        text = f"{text}{_SPACE}{unit}"
    sign = _MINUS if value < 0 else "+" if signed and value > 0 else ""
    return f"{sign}{text}"


def format_probability(value: float | None) -> str:
    """Write a probability to three places; one that only rounds to 0 or 1 says so.

    >>> format_probability(0.9512), format_probability(0.99994), format_probability(1.0)
    ('0.951', '> 0.999', '1')
    """
    if value is None or math.isnan(value):
        return MISSING
    if value in {0.0, 1.0}:
        return f"{value:.0f}"
    if value > _SUREST:
        return f"> {_SUREST}"
    return f"< {1 - _SUREST:.3f}" if value < 1 - _SUREST else f"{value:.3f}"


def format_duration(value: float | None) -> str:
    r"""Write a duration given in seconds, in the two largest units that matter.

    >>> format_duration(0.0042), format_duration(8.31), format_duration(95), format_duration(90_000)
    ('4.20\xa0ms', '8.31\xa0s', '1\xa0min 35\xa0s', '1\xa0d 1\xa0h')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 0:
        return _signed(f"-{format_duration(-value)}")
    if value == 0:
        return f"0{_SPACE}s"
    for limit, scale, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (60, 1, "s")):
        if value < limit:
            return f"{format_value(value * scale)}{_SPACE}{unit}"
    left = round(value)
    parts: list[str] = []
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        parts.append(f"{left // length}{_SPACE}{unit}")
        left %= length
    first = next(i for i, part in enumerate(parts) if not part.startswith(f"0{_SPACE}"))
    return " ".join(part for part in parts[first : first + 2] if not part.startswith(f"0{_SPACE}"))


def format_bytes(value: float | None) -> str:
    r"""Write a number of bytes, in powers of ten as disks are sold.

    >>> format_bytes(512), format_bytes(120_000), format_bytes(2_340_000)
    ('512\xa0B', '120\xa0kB', '2.34\xa0MB')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    for limit, unit in ((1e3, "B"), (1e6, "kB"), (1e9, "MB"), (1e12, "GB")):
        if abs(value) < limit:
            return f"{format_value(value / limit * 1e3)}{_SPACE}{unit}"
    return f"{format_value(value / 1e12)}{_SPACE}TB"


def format_time(value: datetime | str | None) -> str:
    """Write a time, or its ISO 8601 text, in UTC where it has a zone; to the second where it has seconds.

    >>> format_time("2013-10-01T06:00:00+02:00"), format_time(datetime(2013, 10, 1, 6, 0, 5))
    ('2013-10-01 04:00 UTC', '2013-10-01 06:00:05')
    """
    if value is None:
        return MISSING
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    precision = "%Y-%m-%d %H:%M:%S" if time.second else "%Y-%m-%d %H:%M"
    if time.tzinfo is None:
        return time.strftime(precision)
    return f"{time.astimezone(UTC).strftime(precision)} UTC"


def format_digest(digest: str | None, absent: str = MISSING) -> str:
    """Write a digest by its first 12 hexadecimal digits; `absent` stands for None or an empty text.

    >>> format_digest("3fa9c1d2e4b5a6978877"), format_digest(None, "no model")
    ('3fa9c1d2e4b5', 'no model')
    """
    return digest[:DIGEST_CHARACTERS] if digest else absent


def format_unknown(value: object) -> str:
    """Write a value whose kind is not declared: numbers to 4 digits, a sha256 as a digest.

    >>> format_unknown(336776), format_unknown(0.81234567), format_unknown("ab" * 32)
    ('336,776', '0.8123', 'abababababab')
    """
    is_digest = isinstance(value, str) and len(value) == _SHA256_CHARACTERS
    if is_digest and set(str(value)) <= set("0123456789abcdef"):
        return format_digest(str(value))
    return format_value(value, 4)


def plain_text(text: str) -> str:
    r"""Return the text as a terminal or a log shows it, with usual spaces and hyphens.

    >>> plain_text("\N{MINUS SIGN}4.20\xa0ms")
    '-4.20 ms'
    """
    return text.translate(_PLAIN)


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
    return f"{_MINUS}{text[1:]}" if text.startswith("-") else text
