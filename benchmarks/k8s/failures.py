"""What a person reads when something is wrong that no retry mends: the cause, in one sentence."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from benchmarks.k8s.cluster import PLATFORM, SERVING, TASKS, until
from benchmarks.k8s.installation import Installation, give_source
from benchmarks.report import table, write_section

DAG = "wine__lifecycle"
LIMIT_SECONDS = 600
REPLAY = {"replay": True, "reason": "age"}


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong."""

    name: str
    stage: str
    """The stage that meets it."""
    conf: dict[str, Any] = field(default_factory=dict)
    broken: Callable[[Installation], AbstractContextManager[None]] = lambda _: nullcontext()
    """Breaks it, and mends it at the end."""


@contextmanager
def wrong_image(platform: Installation) -> Iterator[None]:
    """Name an image for the stages that is nowhere."""
    cluster = platform.cluster
    right = cluster.get(PLATFORM, "configmap", "images")["data"]["tasks"]
    try:
        _set_image(platform, "localhost/no-such-image:1")
        yield
    finally:
        _set_image(platform, right)


@contextmanager
def no_secret(platform: Installation) -> Iterator[None]:
    """Take away the Secret with the names that the sources mention."""
    platform.cluster("-n", TASKS, "delete", "secret", "source-wine")
    try:
        yield
    finally:
        give_source(platform.cluster, "wine")


@contextmanager
def crashing_service(platform: Installation) -> Iterator[None]:
    """Let every new pod of the services crash: it is not told which bucket it is to read."""
    cluster = platform.cluster
    bucket = cluster.get(SERVING, "configmap", "store")["data"]["PERENNIAL_BUCKET"]
    _set_bucket(platform, None)
    try:
        yield
    finally:
        _set_bucket(platform, bucket)


# Another family, let in whatever it is worth: the champion's own model would be no candidate.
ANOTHER_MODEL = {
    "replay": False,
    "budget": "5s",
    "set": {"models.candidates": ["linear"], "gates.beats.champion.confidence": 0},
}
FAILURES = (
    Failure("a candidate service that crashes", "deployment", ANOTHER_MODEL, crashing_service),
    Failure("a wrong image name", "problem", broken=wrong_image),
    Failure("a missing Secret", "collection", broken=no_secret),
    Failure("no room for the pod", "collection", {"set": {"resources.collection.cpu": 64}}),
    Failure("a training out of memory", "training", {"set": {"resources.training.memory": "96Mi"}}),
)


def measure(platform: Installation, failures: Sequence[Failure] = FAILURES) -> None:
    """Break each thing once and write the section."""
    rows = [_fail(platform, number, failure) for number, failure in enumerate(failures)]
    heads = ["what is wrong", "met by", "said after, s", "outcome", "the sentence in Airflow"]
    text = (
        f"{table(heads, rows)}\n\nThe seconds count from the task's start to the sentence. "
        "*Tried again*: the run was ended by hand after the first sentence; a node that an "
        "autoscaler adds may still come."
    )
    write_section("On Kubernetes: what is wrong, and what is said", "make bench-k8s", text)


def _fail(platform: Installation, number: int, failure: Failure) -> list[object]:
    airflow = platform.airflow
    run = f"fail-{number}-{time.time():.0f}"
    with failure.broken(platform):
        airflow.start(DAG, run, REPLAY | failure.conf)
        until(lambda: _has_ended(platform, run, failure.stage), LIMIT_SECONDS, failure.name)
        task = airflow.tasks(DAG, run)[failure.stage]
        if task["state"] in {"skipped", "upstream_failed"}:
            raise RuntimeError(f"{failure.name}: {failure.stage} was not reached in {run}")
        seconds = float(task["duration"] or 0)
        outcome, sentence = _outcome(platform, run, failure.stage, str(task["state"]))
        if airflow.state(DAG, run) not in {"success", "failed"}:
            airflow.ask("PATCH", f"dags/{DAG}/dagRuns/{run}", {"state": "failed"})
            airflow.wait(DAG, run, LIMIT_SECONDS)
    row = [failure.name, f"`{failure.stage}`", round(seconds, 1), outcome, sentence]
    sys.stderr.write(f"{row}\n")
    return row


def _has_ended(platform: Installation, run: str, stage: str) -> bool:
    state = platform.airflow.tasks(DAG, run)[stage]["state"]
    return state in {"success", "failed", "up_for_retry", "upstream_failed", "skipped"}


def _outcome(platform: Installation, run: str, stage: str, state: str) -> tuple[str, str]:
    if state == "success":
        result = platform.airflow.result(DAG, run, stage)
        return str(result["outcome"]), str(result["facts"].get("reason"))
    words = {"up_for_retry": "tried again", "failed": "failed"}
    sentence = platform.airflow.result(DAG, run, stage, "why")
    return words.get(state, state), str(sentence)


def _set_image(platform: Installation, image: str) -> None:
    words = ("set", "env", "deployment/scheduler", f"PERENNIAL_TASKS_IMAGE={image}")
    platform.cluster("-n", PLATFORM, *words)
    platform.cluster.wait_until_available(PLATFORM, "scheduler", LIMIT_SECONDS)


def _set_bucket(platform: Installation, bucket: str | None) -> None:
    body = json.dumps({"data": {"PERENNIAL_BUCKET": bucket}})
    platform.cluster("-n", SERVING, "patch", "configmap", "store", "--type=merge", "-p", body)
