"""Names of requests: UUIDv7 (RFC 9562, 5.7), whose first 48 bits are the time in milliseconds.

So the request id of a label that comes weeks later shows which day's predictions it belongs to.
Python has them from 3.14 on.
"""

import os
import re
import time
from datetime import UTC, datetime

PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

_VERSION = 0x7000
_VARIANT = 0x8000
_SEQUENCE = 0x0FFF
_CLOCK = 0x3FFF


def request_id(nanoseconds: int | None = None) -> str:
    """Return a new request id of the moment `nanoseconds` since 1970 (None: now)."""
    moment = time.time_ns() if nanoseconds is None else nanoseconds
    random = int.from_bytes(os.urandom(10), "big")
    time_part = f"{moment // 1_000_000 & 0xFFFFFFFFFFFF:012x}"
    version = _VERSION | random & _SEQUENCE
    variant = _VARIANT | random >> 12 & _CLOCK
    node = random >> 26 & 0xFFFFFFFFFFFF
    return f"{time_part[:8]}-{time_part[8:]}-{version:04x}-{variant:04x}-{node:012x}"


def moment_of(name: str) -> datetime:
    """Return the moment in which the request id was made, to the millisecond.

    >>> moment_of("018bcfe5-6800-7000-8000-000000000000").isoformat()
    '2023-11-14T22:13:20+00:00'
    """
    return datetime.fromtimestamp(int(name[:8] + name[9:13], 16) / 1000, UTC)
