"""Scale a platform on a cluster to zero pods and back, without losing data.

An annotation keeps each Deployment's number of replicas, so that `up` restores it.
"""

import time

from contract.errors import TryAgain
from perennial.kubernetes.kubectl import OURS, PLATFORM, SERVING, TASKS, Kubectl, Resource
from perennial.platform import Report

REPLICAS = "perennial/replicas"
STORES = ("seaweedfs", "postgres")
STAGES = f"app.kubernetes.io/name=stage,{OURS}"
POLL_SECONDS = 0.5


def scale_to_zero(kubectl: Kubectl, report: Report, stop_seconds: float) -> int:
    """Stop every pod, the stores' last, since services ship their logs to them; return their number.

    Raises:
        TryAgain: some pods did not end within `stop_seconds`, those of the stores in as many more.
    """
    count = len(_pods(kubectl, PLATFORM)) + len(_pods(kubectl, SERVING))
    deployments = [
        (namespace, deployment)
        for namespace in (PLATFORM, SERVING)
        for deployment in _deployments(kubectl, namespace)
    ]
    stores = [pair for pair in deployments if pair[1]["metadata"]["name"] in STORES]
    others = [pair for pair in deployments if pair not in stores]
    if count:
        report("stopping the services and Airflow …")
    for namespace, deployment in others:
        _stop(kubectl, namespace, deployment)
    stages = _pods(kubectl, TASKS, STAGES)
    if stages:
        kubectl("-n", TASKS, "delete", "pods", "--selector", STAGES, "--wait=false")
    _wait(kubectl, {deployment["metadata"]["name"] for _, deployment in stores}, stop_seconds)
    if stores and count:
        report("stopping the stores …")
    for namespace, deployment in stores:
        _stop(kubectl, namespace, deployment)
    _wait(kubectl, set(), stop_seconds)
    return count + len(stages)


def restore_scale(kubectl: Kubectl) -> None:
    """Restore the replicas of every Deployment that `scale_to_zero` has stopped."""
    for namespace in (PLATFORM, SERVING):
        for deployment in _deployments(kubectl, namespace):
            saved = deployment["metadata"].get("annotations", {}).get(REPLICAS)
            if saved is not None:
                _set_replicas(kubectl, namespace, deployment, int(saved), None)


def _stop(kubectl: Kubectl, namespace: str, deployment: Resource) -> None:
    replicas = deployment["spec"].get("replicas", 1)
    if replicas:
        _set_replicas(kubectl, namespace, deployment, 0, str(replicas))


def _set_replicas(
    kubectl: Kubectl, namespace: str, deployment: Resource, replicas: int, saved: str | None
) -> None:
    body = {"metadata": {"annotations": {REPLICAS: saved}}, "spec": {"replicas": replicas}}
    kubectl.patch(namespace, f"deployment/{deployment['metadata']['name']}", body, kind="merge")


def _wait(kubectl: Kubectl, stores: set[str], stop_seconds: float) -> None:
    """Wait until only pods of the stores are left."""
    deadline = time.monotonic() + stop_seconds
    while True:
        left = [
            pod["metadata"]["name"]
            for namespace in (PLATFORM, SERVING)
            for pod in _pods(kubectl, namespace)
            if pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") not in stores
        ]
        if not left:
            return
        if time.monotonic() > deadline:
            raise TryAgain(
                f"These pods did not end: {', '.join(left)}; run `perennial down` again."
            )
        time.sleep(POLL_SECONDS)


def _deployments(kubectl: Kubectl, namespace: str) -> list[Resource]:
    items: list[Resource] = kubectl.get(namespace, "deployments", "--selector", OURS)["items"]
    return items


def _pods(kubectl: Kubectl, namespace: str, selector: str = OURS) -> list[Resource]:
    """Return the pods that have not ended; a finished Job's are left out."""
    pods = kubectl.get(namespace, "pods", "--selector", selector)["items"]
    ended = {"Succeeded", "Failed"}
    return [pod for pod in pods if pod.get("status", {}).get("phase") not in ended]
