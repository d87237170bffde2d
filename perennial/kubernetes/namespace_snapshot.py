"""How a platform on a cluster is: its Deployments, their pods, and what they wait for."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract.errors import PerennialError
from contract.rollout.pod_template import is_rolled_out, pinned_digest
from perennial.kubernetes.kubectl import NAMESPACES, OURS, PLATFORM, SERVING, Kubectl, Resource
from perennial.kubernetes.pod_faults import PodFault, fault, is_ready, restarts
from perennial.platform import ComponentStatus, Condition

# In the order in which they come up; a part that an overlay leaves out is not waited for.
PARTS = {
    "seaweedfs": "the store",
    "postgres": "Airflow's database",
    "api": "Airflow's API server",
    "scheduler": "Airflow's scheduler",
    "dag-processor": "Airflow's dag processor",
}
PROBLEM = "perennial/problem"


class Look:
    """One look at a namespace: its Deployments, pods and warnings of one moment."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        words = ("deployments,replicasets,pods", "--selector", OURS)
        found = kubectl.get(namespace, *words)["items"]
        warnings = ("events", "--field-selector", "type=Warning")
        self.deployments = [one for one in found if one["kind"] == "Deployment"]
        self.pods = [one for one in found if one["kind"] == "Pod"]
        self._owners = {
            one["metadata"]["uid"]: _owner(one) for one in found if one["kind"] == "ReplicaSet"
        }
        is_well = all(is_ready(pod) for pod in self.pods)
        self.events = [] if is_well else kubectl.get(namespace, *warnings)["items"]

    def pods_of(self, deployment: Resource) -> list[Resource]:
        """Return the pods of a Deployment, those of its old templates included."""
        name = deployment["metadata"]["name"]
        return [pod for pod in self.pods if self._owners.get(_owner(pod)) == name]

    def faults(self) -> list[tuple[Resource, PodFault]]:
        """Return each pod that waits for a person, with what is wrong."""
        found = ((pod, fault(pod, self.events)) for pod in self.pods)
        return [(pod, wrong) for pod, wrong in found if wrong is not None]


def condition(kubectl: Kubectl) -> Condition:
    """Return the state of every part: Airflow, the stores, the services of the problems."""
    looks = [Look(kubectl, namespace) for namespace in (PLATFORM, SERVING)]
    parts = {
        deployment["metadata"]["name"]: _part(deployment, look)
        for look in looks
        for deployment in look.deployments
    }
    return Condition(parts, waiting_for(looks[0].deployments), memory_bytes(kubectl))


def waiting_for(deployments: Sequence[Resource]) -> str | None:
    """Return the first part of Airflow or of the stores that is not up; None: all are."""
    known = {one["metadata"]["name"]: one for one in deployments}
    for name, words in PARTS.items():
        if name in known and not _is_up(known[name]):
            return words
    return None


def sentences(looks: Sequence[Look], problem: str | None = None) -> list[str]:
    """Return what is wrong with pods, as sentences; of one problem's alone where one is named."""
    return [
        f"{_named(pod)} {wrong.sentence}."
        for look in looks
        for pod, wrong in look.faults()
        if problem is None or pod["metadata"].get("labels", {}).get(PROBLEM) == problem
    ]


def memory_bytes(kubectl: Kubectl) -> int | None:
    """Return the memory of all pods by kubelet's own summary; None without the right to ask it."""
    total = 0
    with contextlib.suppress(PerennialError):
        for node in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]:
            path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
            for pod in json.loads(kubectl("get", "--raw", path))["pods"]:
                if pod["podRef"]["namespace"] in NAMESPACES:
                    total += int(pod.get("memory", {}).get("workingSetBytes", 0))
        return total
    return None


def _part(deployment: Resource, look: Look) -> ComponentStatus:
    pods = look.pods_of(deployment)
    wrong = [found for pod, found in look.faults() if pod in pods]
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
    refused = [
        str(found.get("message"))
        for found in deployment.get("status", {}).get("conditions", [])
        if found.get("type") == "ReplicaFailure" and found.get("status") == "True"
    ]
    problem = wrong[0].sentence if wrong else next(iter(refused), "")
    return ComponentStatus(
        state=_state(deployment, wrong),
        process=None if newest is None else {"pod": newest["metadata"]["name"]},
        restarts=sum(restarts(pod) for pod in pods),
        problem=problem,
    )


def _state(deployment: Resource, wrong: Sequence[PodFault]) -> str:
    if deployment["spec"].get("replicas", 1) == 0:
        return "stopped"
    if any(found.kind in {"crash", "memory"} for found in wrong):
        return "restarting"
    if _is_up(deployment):
        return "running"
    is_service = deployment["metadata"].get("namespace") == SERVING
    if is_service and pinned_digest(deployment["spec"]["template"]["spec"]) is None:
        return "waiting"  # for its first model
    return "preparing"


def _is_up(deployment: Mapping[str, Any]) -> bool:
    return deployment["spec"].get("replicas", 1) > 0 and is_rolled_out(deployment)


def _named(pod: Resource) -> str:
    labels, name = pod["metadata"].get("labels", {}), pod["metadata"]["name"]
    is_stage = labels.get("app.kubernetes.io/name") == "stage"
    stage = labels.get("app.kubernetes.io/component", "") if is_stage else ""
    return f"the pod {name} of the stage {stage}" if stage else f"the pod {name}"


def _owner(found: Resource) -> str:
    """Return the uid of a pod's ReplicaSet, or the name of a ReplicaSet's Deployment."""
    owners = found["metadata"].get("ownerReferences") or [{}]
    return str(owners[0].get("name" if found["kind"] == "ReplicaSet" else "uid", ""))
