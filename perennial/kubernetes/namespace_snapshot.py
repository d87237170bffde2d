"""State of a platform on a cluster: its Deployments, their pods, and their faults."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract.errors import PerennialError
from contract.rollout.pod_template import is_rolled_out, pinned_digest
from perennial.kubernetes.kubectl import NAMESPACES, OURS, PLATFORM, SERVING, Kubectl, Resource
from perennial.kubernetes.pod_faults import PodFault, find_fault, is_ready, restarts
from perennial.platform import ComponentStatus, PlatformStatus

# In the order in which they start; a component that an overlay omits is not waited for.
COMPONENTS = {
    "seaweedfs": "the store",
    "postgres": "Airflow's database",
    "api": "Airflow's API server",
    "scheduler": "Airflow's scheduler",
    "dag-processor": "Airflow's dag processor",
}
PROBLEM = "perennial/problem"


class NamespaceSnapshot:
    """The Deployments, pods and warnings of a namespace at one time."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        arguments = ("deployments,replicasets,pods", "--selector", OURS)
        resources = kubectl.get(namespace, *arguments)["items"]
        warnings = ("events", "--field-selector", "type=Warning")
        self.deployments = [one for one in resources if one["kind"] == "Deployment"]
        self.pods = [one for one in resources if one["kind"] == "Pod"]
        self._owners = {
            one["metadata"]["uid"]: _owner(one) for one in resources if one["kind"] == "ReplicaSet"
        }
        is_healthy = all(is_ready(pod) for pod in self.pods)
        self.events = [] if is_healthy else kubectl.get(namespace, *warnings)["items"]

    def pods_of(self, deployment: Resource) -> list[Resource]:
        """Return the pods of a Deployment, including those of old templates."""
        name = deployment["metadata"]["name"]
        return [pod for pod in self.pods if self._owners.get(_owner(pod)) == name]

    def faults(self) -> list[tuple[Resource, PodFault]]:
        """Return each pod that needs a person, with its fault."""
        faults = ((pod, find_fault(pod, self.events)) for pod in self.pods)
        return [(pod, fault) for pod, fault in faults if fault is not None]


def platform_status(kubectl: Kubectl) -> PlatformStatus:
    """Return the state of every component: Airflow, the stores, the prediction services."""
    snapshots = [NamespaceSnapshot(kubectl, namespace) for namespace in (PLATFORM, SERVING)]
    components = {
        deployment["metadata"]["name"]: _component(deployment, snapshot)
        for snapshot in snapshots
        for deployment in snapshot.deployments
    }
    return PlatformStatus(components, waiting_for(snapshots[0].deployments), memory_bytes(kubectl))


def waiting_for(deployments: Sequence[Resource]) -> str | None:
    """Return the first component of Airflow or of the stores that is not up; None where all are."""
    by_name = {deployment["metadata"]["name"]: deployment for deployment in deployments}
    for name, title in COMPONENTS.items():
        if name in by_name and not _is_up(by_name[name]):
            return title
    return None


def sentences(snapshots: Sequence[NamespaceSnapshot], problem: str | None = None) -> list[str]:
    """Return the faults of pods as sentences; only those of `problem` where one is given."""
    return [
        f"{_describe(pod)} {fault.sentence}."
        for snapshot in snapshots
        for pod, fault in snapshot.faults()
        if problem is None or pod["metadata"].get("labels", {}).get(PROBLEM) == problem
    ]


def memory_bytes(kubectl: Kubectl) -> int | None:
    """Return the memory of all pods by kubelet's own summary; None without the right to read it."""
    total = 0
    with contextlib.suppress(PerennialError):
        for node in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]:
            path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
            for pod in json.loads(kubectl("get", "--raw", path))["pods"]:
                if pod["podRef"]["namespace"] in NAMESPACES:
                    total += int(pod.get("memory", {}).get("workingSetBytes", 0))
        return total
    return None


def _component(deployment: Resource, snapshot: NamespaceSnapshot) -> ComponentStatus:
    pods = snapshot.pods_of(deployment)
    faults = [fault for pod, fault in snapshot.faults() if pod in pods]
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
    refused = [
        str(platform_status.get("message"))
        for platform_status in deployment.get("status", {}).get("conditions", [])
        if platform_status.get("type") == "ReplicaFailure"
        and platform_status.get("status") == "True"
    ]
    problem = faults[0].sentence if faults else next(iter(refused), "")
    return ComponentStatus(
        state=_state(deployment, faults),
        process=None if newest is None else {"pod": newest["metadata"]["name"]},
        restarts=sum(restarts(pod) for pod in pods),
        problem=problem,
    )


def _state(deployment: Resource, faults: Sequence[PodFault]) -> str:
    if deployment["spec"].get("replicas", 1) == 0:
        return "stopped"
    if any(fault.kind in {"crash", "memory"} for fault in faults):
        return "restarting"
    if _is_up(deployment):
        return "running"
    is_service = deployment["metadata"].get("namespace") == SERVING
    if is_service and pinned_digest(deployment["spec"]["template"]["spec"]) is None:
        return "waiting"  # for its first model
    return "preparing"


def _is_up(deployment: Mapping[str, Any]) -> bool:
    return deployment["spec"].get("replicas", 1) > 0 and is_rolled_out(deployment)


def _describe(pod: Resource) -> str:
    labels, name = pod["metadata"].get("labels", {}), pod["metadata"]["name"]
    is_stage = labels.get("app.kubernetes.io/name") == "stage"
    stage = labels.get("app.kubernetes.io/component", "") if is_stage else ""
    return f"the pod {name} of the stage {stage}" if stage else f"the pod {name}"


def _owner(resource: Resource) -> str:
    """Return the uid of a pod's ReplicaSet, or the name of a ReplicaSet's Deployment."""
    owners = resource["metadata"].get("ownerReferences") or [{}]
    return str(owners[0].get("name" if resource["kind"] == "ReplicaSet" else "uid", ""))
