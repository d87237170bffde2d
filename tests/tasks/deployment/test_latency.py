"""A busy machine is no fault of the model, and a slow model is: told apart by empty requests."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bundle_factory import Made
from service_process import Service

from contract.rollout.target import RolloutFailed
from tasks.deployment.latency import Latency, LatencyRound, check_latency, summarize_rounds

LIMIT = 0.020
# Ends by itself where this process was killed.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10_000))\n"


def rounds(answers: list[float], empty: list[float]) -> list[LatencyRound]:
    """A round of ten rows, each of which is answered as often as there are `answers`."""
    return [LatencyRound(rows={row: tuple(answers) for row in range(10)}, empty=tuple(empty))]


def test_a_quiet_machine_and_a_quick_model_pass() -> None:
    latency = summarize_rounds(rounds([0.001] * 20, [0.0005] * 200))

    check_latency(latency, LIMIT)
    assert latency == Latency(p99=0.001, empty_p99=0.0005, excess=0.0005, quickest=0.001)


def test_a_machine_that_delays_empty_requests_as_well_is_busy() -> None:
    latency = summarize_rounds(rounds([0.001] * 15 + [0.060] * 5, [0.0005] * 150 + [0.055] * 50))

    assert latency.p99 > LIMIT
    check_latency(latency, LIMIT)


def test_a_model_that_is_slow_on_a_quiet_machine_is_refused() -> None:
    latency = summarize_rounds(rounds([0.030] * 20, [0.0005] * 200))

    with pytest.raises(RolloutFailed, match=r"empty requests between them 29\.5 ms less"):
        check_latency(latency, LIMIT)


def test_a_model_that_is_slow_on_a_busy_machine_is_refused() -> None:
    latency = summarize_rounds(rounds([0.040] * 15 + [0.090] * 5, [0.0005] * 150 + [0.085] * 50))

    assert latency.excess < LIMIT
    with pytest.raises(RolloutFailed, match=r"gates\.latency_p99"):
        check_latency(latency, LIMIT)


def test_a_model_that_is_slow_for_some_requests_alone_is_refused() -> None:
    latency = summarize_rounds(rounds([0.001] * 19 + [0.060], [0.0005] * 200))

    assert latency.quickest < LIMIT
    with pytest.raises(RolloutFailed):
        check_latency(latency, LIMIT)


def test_a_model_that_is_slow_for_some_rows_alone_is_refused() -> None:
    slow = LatencyRound(rows={0: (0.001,) * 90, 1: (0.050,) * 10}, empty=(0.0005,) * 100)

    with pytest.raises(RolloutFailed):
        check_latency(summarize_rounds([slow]), LIMIT)


def test_one_quiet_round_is_enough() -> None:
    busy, quiet = rounds([0.060] * 20, [0.0005] * 200), rounds([0.001] * 20, [0.0005] * 200)

    check_latency(summarize_rounds([*busy, *quiet]), LIMIT)


def test_what_was_not_measured_is_refused() -> None:
    with pytest.raises(RolloutFailed, match="not known"):
        check_latency(None, LIMIT)


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Four processes that compute as long as the test runs."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(4)]
    yield
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_the_first_model_is_deployed_beside_four_busy_processes(
    ground: Any, make: Callable[..., Made], serving: Service, busy_machine: None
) -> None:
    made = make("new")

    code, result = ground.deploy(made, limit="20ms")

    assert (code, result["outcome"]) == (0, "deployed"), result
    assert ground.champion == made.digest
