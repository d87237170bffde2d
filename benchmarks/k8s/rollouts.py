"""Two rollouts one after the other, the way back and a dead pod, while clients in the cluster ask."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.k8s.beginning import begun, expect_deployed
from benchmarks.k8s.cluster import SERVING
from benchmarks.k8s.installation import Installation
from benchmarks.k8s.trial import PROBLEM, Trial
from benchmarks.report import table, write_section

REQUESTS, RATE = 24_000, 120.0
LIMIT_SECONDS = 900
ROLLING = "{rollout: rolling}"
# Models that differ in their last digits, so that each is a digest of its own and none is refused.
RUNS = {
    "first": {"bias": 0.0, "beats": None, "serving": ROLLING},
    "second": {"bias": 1e-5, "beats": "first", "serving": ROLLING},
    "third": {"bias": 2e-5, "beats": "second", "serving": ROLLING},
}


def measure(platform: Installation) -> None:
    """Tell the story and write the section."""
    with begun(platform.cluster, PROBLEM, RUNS) as trial:
        _measure(trial)


def _measure(trial: Trial) -> None:
    trial.start_load("load", REQUESTS, LIMIT_SECONDS, RATE)
    rows: list[list[object]] = [
        [
            "a second model rolls to both pods",
            _timed(lambda: expect_deployed(trial.deploy("second"))),
        ],
        ["a third one", _timed(lambda: expect_deployed(trial.deploy("third")))],
        ["`perennial rollback`: the second again", _timed(trial.roll_back)],
        ["one of the two pods is deleted, and replaced", _timed(lambda: _replace_a_pod(trial))],
    ]
    load, log = trial.load_result("load", LIMIT_SECONDS), trial.logged()
    is_same = log["fingerprint"] == load["fingerprint"]
    counts = [load["sent"], load["answered"], load["failed"], log["rows"], is_same]
    heads = ["sent", "answered", "failed", "rows in the prediction log", "the same requests"]
    how = (
        f"{RATE:.0f} requests a second from a pod in the cluster, through the Service; half of the "
        "clients keep their connections, the others take a new one for each request. "
        f"p50 {load['p50_ms']} ms, p99 {load['p99_ms']} ms. *The same*: the sums of the request ids "
        "are equal."
    )
    steps = table(["while clients asked", "seconds"], rows)
    text = f"{steps}\n\n{table(heads, [counts])}\n\n{how}"
    write_section("On Kubernetes: rollouts under load", "make bench-k8s", text)


def _timed(what: Callable[[], Any]) -> float:
    began = time.monotonic()
    what()
    return time.monotonic() - began


def _replace_a_pod(trial: Trial) -> None:
    labels = f"perennial/problem={PROBLEM},perennial/track=stable"
    oldest = trial.cluster.pods(SERVING, labels)[0]["metadata"]["name"]
    trial.cluster("-n", SERVING, "delete", "pod", oldest)
    trial.cluster.wait_until_available(SERVING, f"{PROBLEM}-serving", LIMIT_SECONDS)
