"""What the product costs on a cluster: from `apply` to use, the fast problem's cycle, idle memory."""

import json
import re
import statistics
import time

from benchmarks.k8s.airflow import Airflow
from benchmarks.k8s.cluster import PLATFORM, SERVING, TASKS, Cluster, moment, until
from benchmarks.k8s.installation import Installation
from benchmarks.report import table, write_section

MEBIBYTE = 1 << 20
SETTLES_SECONDS = 60
DAG = "wine__lifecycle"
AIRFLOW = "app.kubernetes.io/name=airflow"
BEGINS, DONE = "task begins", "task done"


def measure(platform: Installation) -> None:
    """Run the first lifecycle of the wines and write the section."""
    tasks = platform.run(DAG, "costs", {"budget": "20s"})
    whole = platform.airflow.seconds(DAG, "costs")
    time.sleep(SETTLES_SECONDS)
    rows, waits, ends = [], [], []
    for name, task in sorted(tasks.items(), key=lambda item: str(item[1]["start_date"])):
        if task["state"] != "success":
            raise RuntimeError(f"{name} ended with {task['state']}")
        first, last = _lines(platform.airflow, name)
        if first is None or last is None:
            continue  # a branch: no pod
        waits.append(first - moment(task["scheduled_when"]))
        ends.append(moment(task["end_date"]) - last)
        rows.append([name, waits[-1], last - first, ends[-1], float(task["duration"])])
    memory = idle_memory(platform.cluster)
    seen = seconds_until_seen(platform)
    summary: list[list[object]] = [
        [
            "`kubectl apply` to an Airflow that takes a run, images on the node",
            platform.usable_seconds,
            40,
        ],
        ["the wines' whole first cycle in pods", whole, 150],
        ["a new problem: applied and nudged to a DAG in Airflow", seen, 15],
        ["a stage: scheduled to its first line, median", statistics.median(waits), 1.5],
        ["a stage: last line to task done, median", statistics.median(ends), 2],
        ["idle memory of all pods, MiB", sum(memory.values()), 1229],
    ]
    heads = ["stage", "scheduled to first line, s", "its own, s", "last line to done, s", "task, s"]
    text = "\n\n".join(
        [
            table(["what", "seconds (or MiB)", "aim"], summary),
            table(heads, rows),
            f"Idle memory {SETTLES_SECONDS} s after that run, as kubelet counts it (working set):",
            table(["pod", "MiB"], [*memory.items(), ["sum", sum(memory.values())]]),
            "The images, as the node unpacked them:",
            table(["image", "MB"], images(platform.cluster)),
        ]
    )
    write_section("On Kubernetes: start, cycle, memory", "make bench-k8s", text)


def idle_memory(cluster: Cluster) -> dict[str, float]:
    """Return each pod's working set in MiB."""
    found = {}
    for node in json.loads(cluster("get", "nodes", "-o", "json"))["items"]:
        path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for pod in json.loads(cluster("get", "--raw", path))["pods"]:
            reference = pod["podRef"]
            if reference["namespace"] in {PLATFORM, SERVING, TASKS}:
                name = f"{reference['namespace']}/{reference['name']}"
                found[name] = pod.get("memory", {}).get("workingSetBytes", 0) / MEBIBYTE
    return dict(sorted(found.items()))


def seconds_until_seen(platform: Installation) -> float:
    """Add a problem as an apply does, nudge the pods, and return the seconds until its DAG is there."""
    cluster = platform.cluster
    text = cluster.get(PLATFORM, "configmap", "problems")["data"]["wine.problem.yaml"]
    patch = {"data": {"second.problem.yaml": text.replace("name: wine", "name: second")}}
    for namespace in (PLATFORM, TASKS):
        arguments = ("patch", "configmap", "problems", "--type=merge", "-p", json.dumps(patch))
        cluster("-n", namespace, *arguments)
    arguments = (
        "annotate",
        "pod",
        "-l",
        AIRFLOW,
        f"perennial/nudge={time.time():.0f}",
        "--overwrite",
    )
    cluster("-n", PLATFORM, *arguments)
    return until(lambda: platform.airflow.has("second__lifecycle"), 120, "the second problem's DAG")


def images(cluster: Cluster) -> list[list[object]]:
    """Return the name and the MB of each of our images on the nodes."""
    found = {}
    for node in json.loads(cluster("get", "nodes", "-o", "json"))["items"]:
        for image in node["status"]["images"]:
            for name in image.get("names") or ():  # of one that lost its tag: null
                if "/perennial-" in name and "@" not in name:
                    found[name] = image["sizeBytes"] / 1e6
    return [[name, size] for name, size in sorted(found.items())]


def _lines(airflow: Airflow, stage: str) -> tuple[float | None, float | None]:
    """Return when a stage said its first and its last line, by its own clock.

    Airflow stamps a line when it has read it, which is seconds later.
    """
    text = airflow.log(DAG, "costs", stage)
    return _moment(BEGINS, text), _moment(DONE, text)


def _moment(line: str, text: str) -> float | None:
    found = re.search(rf"{line}.* at=(\S+)", text)
    return moment(found[1]) if found else None
