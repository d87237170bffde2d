"""Wall seconds and CPU-seconds of a command and its children."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    seconds: float
    cpu_seconds: float


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run `command` once, its output thrown away.

    Raises:
        subprocess.CalledProcessError: it failed; its standard error goes along.
    """
    before, began = os.times(), time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    seconds, after = time.monotonic() - began, os.times()
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    return Cost(seconds, user + system)


def median(
    command: Callable[[int], Sequence[str]],
    environment: Mapping[str, str] | None = None,
    runs: int = 7,
) -> Cost:
    """Run `command(0)` to warm up, then `command(1)` … `command(runs)`; return both medians."""
    costs = [measure(command(number), environment) for number in range(runs + 1)][1:]
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu_seconds for cost in costs),
    )
