"""No pods at all, and back: how a platform on a cluster is stopped without anything being lost.

A Deployment bears how many pods it had as an annotation, so that `up` brings back as many.
"""

import time

from contract.errors import TryAgain
from perennial.kubernetes.kubectl import OURS, PLATFORM, SERVING, TASKS, Kubectl, Resource
from perennial.platform import Report

REPLICAS = "perennial/replicas"
STORES = ("seaweedfs", "postgres")
STAGES = f"app.kubernetes.io/name=stage,{OURS}"
STOP_SECONDS = 120.0  # a service drains, and ships the last of its log, within 45 s
POLL_SECONDS = 0.5


def scale_to_nothing(kubectl: Kubectl, report: Report) -> int:
    """End every pod, the stores' last: services ship their logs to them; return how many there were.

    Raises:
        TryAgain: some did not end.
    """
    count = len(_pods(kubectl, PLATFORM)) + len(_pods(kubectl, SERVING))
    everyone = [(space, one) for space in (PLATFORM, SERVING) for one in _found(kubectl, space)]
    stores = [(space, one) for space, one in everyone if one["metadata"]["name"] in STORES]
    others = [(space, one) for space, one in everyone if (space, one) not in stores]
    if count:
        report("stopping the services and Airflow …")
    for space, deployment in others:
        _stop(kubectl, space, deployment)
    stages = _pods(kubectl, TASKS, STAGES)
    if stages:
        kubectl("-n", TASKS, "delete", "pods", "--selector", STAGES, "--wait=false")
    left = {one["metadata"]["name"] for _, one in stores}
    _wait(kubectl, left)
    if stores and count:
        report("stopping the stores …")
    for space, deployment in stores:
        _stop(kubectl, space, deployment)
    _wait(kubectl, set())
    return count + len(stages)


def scale_back(kubectl: Kubectl) -> None:
    """Give every Deployment that `scale_to_nothing` stopped as many pods as it had."""
    for space in (PLATFORM, SERVING):
        for deployment in _found(kubectl, space):
            kept = deployment["metadata"].get("annotations", {}).get(REPLICAS)
            if kept is not None:
                _change(kubectl, space, deployment, int(kept), None)


def _stop(kubectl: Kubectl, space: str, deployment: Resource) -> None:
    replicas = deployment["spec"].get("replicas", 1)
    if replicas:
        _change(kubectl, space, deployment, 0, str(replicas))


def _change(
    kubectl: Kubectl, space: str, deployment: Resource, replicas: int, kept: str | None
) -> None:
    body = {"metadata": {"annotations": {REPLICAS: kept}}, "spec": {"replicas": replicas}}
    kubectl.patch(space, f"deployment/{deployment['metadata']['name']}", body, kind="merge")


def _wait(kubectl: Kubectl, stores: set[str]) -> None:
    """Wait until no pod is left but those of the stores."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        left = [
            pod["metadata"]["name"]
            for space in (PLATFORM, SERVING)
            for pod in _pods(kubectl, space)
            if pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") not in stores
        ]
        if not left:
            return
        if time.monotonic() > deadline:
            raise TryAgain(
                f"These pods did not end: {', '.join(left)}; run `perennial down` again."
            )
        time.sleep(POLL_SECONDS)


def _found(kubectl: Kubectl, space: str) -> list[Resource]:
    found: list[Resource] = kubectl.get(space, "deployments", "--selector", OURS)["items"]
    return found


def _pods(kubectl: Kubectl, space: str, selector: str = OURS) -> list[Resource]:
    """Return the pods that are there; a Job's that has ended is none."""
    found = kubectl.get(space, "pods", "--selector", selector)["items"]
    ended = {"Succeeded", "Failed"}
    return [pod for pod in found if pod.get("status", {}).get("phase") not in ended]
