"""The one way in which tests wait: a condition is polled, and one limit holds for all.

A busy machine only makes a wait longer; no test fails because something took its time.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

LIMIT_SECONDS = 300.0
"""Far above what anything here takes, also on two cores beside a load: what reaches it hangs.

Also the time limit of every process and connection that a test starts.
"""
POLL_SECONDS = 0.02


def wait_until(
    condition: Callable[[], Value | None], what: str, *, poll_seconds: float = POLL_SECONDS
) -> Value:
    """Poll until the condition returns something true, and return that.

    Raises:
        AssertionError: `what` did not come true; an error of the condition is passed on at once.
    """
    ends = time.monotonic() + LIMIT_SECONDS
    while not (value := condition()):
        if time.monotonic() > ends:
            message = f"waited {LIMIT_SECONDS:.0f} s in vain until {what}"
            raise AssertionError(message)
        time.sleep(poll_seconds)
    return value
