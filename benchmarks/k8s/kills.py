"""What happens when a part dies while a lifecycle runs: each killed once, in mid-stage."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.k8s.cluster import PLATFORM, TASKS, Cluster, until
from benchmarks.k8s.installation import WINES, Installation
from benchmarks.machine import ledger_lines
from benchmarks.report import table, write_section

DAG = "wine__lifecycle"
VICTIM = "validation"
"""The stage that runs when a part dies: long enough, and early, so that much comes after it."""
LIMIT_SECONDS = 600
# What the champion has learnt is fitted again, without a search; a refresh need not be better.
CONF = {"replay": True, "reason": "age"}
STAGE = f"app.kubernetes.io/component={VICTIM}"


@dataclass(frozen=True)
class Part:
    """What is killed, and how."""

    name: str
    namespace: str
    selector: str
    kill: Callable[[Cluster, str, str], None]


def delete(cluster: Cluster, namespace: str, pod: str) -> None:
    """Delete a pod, as `kubectl delete` does."""
    cluster("-n", namespace, "delete", "pod", pod, "--wait=false")


def evict(cluster: Cluster, namespace: str, pod: str) -> None:
    """Ask the eviction API, as an emptied node does."""
    about = {"name": pod, "namespace": namespace}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    cluster("create", "--raw", path, "-f", "-", given=json.dumps(body))


def crash(cluster: Cluster, namespace: str, pod: str) -> None:
    """Take a pod away without any farewell."""
    cluster("-n", namespace, "delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")


PARTS = (
    Part("the stage's pod, deleted", TASKS, STAGE, delete),
    Part("the stage's pod, evicted by the eviction API", TASKS, STAGE, evict),
    Part("the scheduler", PLATFORM, "app.kubernetes.io/component=scheduler", delete),
    Part("Airflow's API server", PLATFORM, "app.kubernetes.io/component=api", delete),
    Part("PostgreSQL, without a farewell", PLATFORM, "app.kubernetes.io/name=postgres", crash),
    Part("SeaweedFS, without a farewell", PLATFORM, "app.kubernetes.io/name=seaweedfs", crash),
)


def measure(platform: Installation, parts: Sequence[Part] = PARTS) -> None:
    """Kill each part once and write the section."""
    rows = [_kill(platform, number, part) for number, part in enumerate(parts)]
    heads = [
        *("killed", "replaced after, s", "the stage then", "stages tried again"),
        *("the run", "ended after the kill, s", "rows", "ledger"),
    ]
    text = (
        f"{table(heads, rows)}\n\nEach was killed once, while the wines' stage `{VICTIM}` ran, in a "
        f"run that replays the champion's plan. *Rows*: those of the table in the store, of {WINES} "
        "that landed. *Ledger*: lines that the run wrote, and how many of them twice."
    )
    write_section("On Kubernetes: what was killed", "make bench-k8s", text)


def _kill(platform: Installation, number: int, part: Part) -> list[object]:
    cluster, airflow = platform.cluster, platform.airflow
    run = f"kill-{number}-{time.time():.0f}"
    airflow.start(DAG, run, CONF)
    until(lambda: _running(cluster, TASKS, STAGE) is not None, LIMIT_SECONDS, VICTIM)
    victim = _running(cluster, part.namespace, part.selector)
    assert victim is not None, part.name
    part.kill(cluster, part.namespace, victim["metadata"]["name"])
    killed = time.monotonic()

    def is_replaced() -> bool:
        found = _running(cluster, part.namespace, part.selector)
        return found is not None and found["metadata"]["uid"] != victim["metadata"]["uid"]

    replaced = until(is_replaced, LIMIT_SECONDS, f"another pod for {part.name}")
    tasks = airflow.wait(DAG, run, LIMIT_SECONDS)
    ended = time.monotonic() - killed
    again = {name: task["try_number"] for name, task in tasks.items() if task["try_number"] > 1}
    result = ", ".join(f"{name} ({count} tries)" for name, count in again.items()) or "none"
    row: list[object] = [
        part.name,
        round(replaced, 1),
        str(tasks[VICTIM]["state"]),
        result,
        airflow.state(DAG, run),
        round(ended, 1),
        platform.rows("wine", "bottles"),
        ledger_lines(platform.ledger("wine"), run),
    ]
    sys.stderr.write(f"{row}\n")
    return row


def _running(cluster: Cluster, namespace: str, selector: str) -> dict[str, Any] | None:
    """Return the newest pod that runs, is ready, and is not on its way out."""
    pods = [pod for pod in cluster.pods(namespace, selector) if _is_running(pod)]
    return pods[-1] if pods else None


def _is_running(pod: Mapping[str, Any]) -> bool:
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
    is_ready = conditions.get("Ready") == "True" and pod["status"].get("phase") == "Running"
    return is_ready and "deletionTimestamp" not in pod["metadata"]
