"""The component `autoscaling` beside a service that is asked more than its pods are meant to bear."""

import time

from benchmarks.k8s.beginning import begun
from benchmarks.k8s.cluster import SERVING
from benchmarks.k8s.installation import Installation
from benchmarks.k8s.trial import Trial
from benchmarks.report import table, write_section

PROBLEM = "scaled"
RATE, SECONDS = 400.0, 150
APPLY_AFTER = 110  # seconds; by then there are more pods than the manifest would say
RUNS = {"first": {"bias": 0.0, "beats": None, "serving": "{rollout: rolling}"}}


def measure(platform: Installation) -> None:
    """Tell the story and write the section."""
    with begun(platform.cluster, PROBLEM, RUNS) as trial:
        _measure(trial)


def _measure(trial: Trial) -> None:
    trial.start_load("load", int(RATE * SECONDS), 2 * SECONDS, RATE)
    began = time.monotonic()
    rows: list[list[object]] = [_seen(trial, 0)]
    trial.add_components("autoscaling")
    trial.cluster("apply", "-k", trial.overlay)
    applied_again: int | None = None
    while (passed := time.monotonic() - began) < SECONDS:
        seen = _seen(trial, round(passed))
        if seen[1:] != rows[-1][1:]:
            rows.append(seen)
        if applied_again is None and passed > APPLY_AFTER:
            trial.cluster("apply", "-k", trial.overlay)
            applied_again = int(trial.deployment()["spec"]["replicas"])
        time.sleep(1)
    load = trial.load_result("load", 2 * SECONDS)
    text = (
        f"{RATE:.0f} requests a second; the component is applied at second 0, over a manifest that "
        f"named two pods, and again after {APPLY_AFTER} s, which left {applied_again}. Of "
        f"{load['sent']:,} requests {load['failed']} failed. Without `replicas` in the manifest "
        "Kubernetes takes one pod for what is meant, until the autoscaler first looks."
    )
    heads = ["second", "pods wanted", "pods ready", "CPU, % of what a pod requests"]
    write_section("On Kubernetes: autoscaling", "make bench-k8s", f"{table(heads, rows)}\n\n{text}")


def _seen(trial: Trial, second: int) -> list[object]:
    """Return the second, the pods that are wanted and ready, and how busy they are."""
    deployment = trial.deployment()
    (autoscaler,) = trial.cluster.get(
        SERVING, "horizontalpodautoscalers", "-l", f"perennial/problem={PROBLEM}"
    )["items"] or [{}]
    metrics = autoscaler.get("status", {}).get("currentMetrics") or []
    busy = [found.get("resource", {}).get("current", {}) for found in metrics]
    percent = next((one["averageUtilization"] for one in busy if "averageUtilization" in one), "")
    return [
        second,
        deployment["spec"]["replicas"],
        deployment["status"].get("readyReplicas", 0),
        percent,
    ]
