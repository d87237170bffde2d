"""Print what an installation costs, as tables for `docs/`: `python k8s/measure.py [RUN_OF_DAG …]`.

Memory of every pod, from kubelet's own summary; and for each `DAG/RUN` what each stage waited and
took. Needs kubectl on the PATH and the rights of an admin. Standard library only.
"""

import base64
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

NAMESPACES = ("perennial", "perennial-serving", "perennial-tasks")
MEBIBYTE = 1 << 20
PORT = 18_080  # arbitrary


def main(runs: Sequence[str]) -> int:
    """Print all tables."""
    sys.stdout.write("\n".join(_table(["pod", "memory, MiB"], memory())) + "\n")
    if runs:
        with _airflow() as token:
            for run in runs:
                sys.stdout.write("\n" + "\n".join(_stages(run, token)) + "\n")
    return 0


def memory() -> list[list[object]]:
    """Return each pod's working set, and their sum."""
    rows: list[list[object]] = []
    total = 0.0
    for node in _kubectl_json("get", "nodes")["items"]:
        place = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for pod in json.loads(_kubectl("get", "--raw", place))["pods"]:
            reference = pod["podRef"]
            if reference["namespace"] in NAMESPACES:
                used = pod.get("memory", {}).get("workingSetBytes", 0) / MEBIBYTE
                total += used
                rows.append([f"{reference['namespace']}/{reference['name']}", round(used)])
    return [*sorted(rows, key=str), ["sum", round(total)]]


def _stages(run: str, token: str) -> Iterator[str]:
    dag, _, name = run.partition("/")
    found = _ask(f"dags/{dag}/dagRuns/{name}", token)
    tasks = _ask(f"dags/{dag}/dagRuns/{name}/taskInstances?limit=100", token)["task_instances"]
    begun = [task for task in tasks if task["start_date"]]
    begun.sort(key=lambda task: task["start_date"])
    waits = [_seconds(task["scheduled_when"], task["start_date"]) for task in begun]
    rows: list[list[object]] = [
        [task["task_id"], task["state"], task["try_number"], wait, round(task["duration"] or 0, 1)]
        for task, wait in zip(begun, waits, strict=True)
    ]
    whole = _seconds(found["start_date"], found["end_date"] or found["start_date"])
    yield f"{dag}: {found['state']} after {whole} s; a task waits {statistics.median(waits)} s."
    yield ""
    yield from _table(["task", "state", "tries", "waited, s", "took, s"], rows)


def _seconds(before: str, after: str) -> float:
    passed = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    return round(passed.total_seconds(), 2)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(str(value) for value in line)} |" for line in lines]


@contextmanager
def _airflow() -> Iterator[str]:
    """Yield a token for Airflow's API, which is at a port of this machine meanwhile."""
    command = ["kubectl", "-n", "perennial", "port-forward", "service/api", f"{PORT}:8080"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)  # kubectl says nowhere that a machine could read that it is ready
        data = _kubectl_json("-n", "perennial", "get", "secret", "airflow-admin")["data"]
        user = {name: base64.b64decode(value).decode() for name, value in data.items()}
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}/auth/token",
            data=json.dumps(user).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - this machine
            yield str(json.load(answer)["access_token"])
    finally:
        process.terminate()
        process.wait(10)


def _ask(path: str, token: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/api/v2/{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - this machine
        found: dict[str, Any] = json.load(answer)
        return found


def _kubectl_json(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_kubectl(*words, "-o", "json"))
    return found


def _kubectl(*words: str) -> str:
    command = ["kubectl", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
