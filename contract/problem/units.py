"""Durations, shares and sizes as people write them: `7d`, `1%`, `200MB`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from contract.messages import unexpected

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
PERCENTAGE = r"(\d+(?:\.\d+)?)\s*%"
_SHARE = re.compile(PERCENTAGE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|KiB|MiB|GiB)")


def duration(value: object) -> timedelta:
    """Read `7d`, `90s`, `20ms`.

    Raises:
        ValueError: it is not a number with one of ms, s, m, h, d, w.

    >>> duration("36h").days
    1
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(unexpected(value, "a duration", example="90s, 5m, 2h, 7d"))
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def write_duration(value: timedelta) -> str:
    """Write a duration with the largest unit that divides it.

    >>> write_duration(timedelta(hours=48))
    '2d'
    """
    milliseconds = round(value.total_seconds() * 1_000)
    sizes = {unit: round(_SECONDS[unit] * 1_000) for unit in ("d", "h", "m", "s", "ms")}
    unit = next(unit for unit, length in sizes.items() if milliseconds % length == 0)
    return f"{milliseconds // sizes[unit]}{unit}"


def share(value: object) -> float:
    """Read `15%` or 0.15.

    Raises:
        ValueError: it is not a share between 0 and 1.

    >>> share("15%")
    0.15
    """
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match:
        value = float(match[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(unexpected(value, "a share", example="15% or 0.15"))
    return float(value)


def size(value: object) -> int:
    """Read `200MB`, `4GiB` or a number of bytes.

    Raises:
        ValueError: it is not a size.

    >>> size("200MB")
    200000000
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(unexpected(value, "a size", example="200MB or 1GiB"))
    return int(float(match[1]) * _BYTES[match[2]])


def write_size(value: int) -> str:
    """Write a size with the largest decimal unit that divides it.

    >>> write_size(200_000_000)
    '200MB'
    """
    for unit in ("GB", "MB", "kB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DURATION.pattern, "examples": ["7d", "90s"]}),
]
Share = Annotated[
    float,
    BeforeValidator(share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _SHARE.pattern},
                {"type": "number", "minimum": 0, "maximum": 1},
            ],
            "examples": ["15%"],
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(size),
    PlainSerializer(write_size, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SIZE.pattern, "examples": ["200MB"]}),
]
