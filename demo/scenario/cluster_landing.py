"""Files that land on a cluster: a pod of the stages' image writes them to the volume `landing`.

In a real installation the systems outside do this by their own means.
"""

import base64
import json
import time
from collections.abc import Mapping

from contract.errors import InvalidRequest, TryAgain
from contract.kubernetes import STAGE_USER
from perennial.kubernetes.kubectl import OURS, PLATFORM, TASKS, Kubectl, Resource

CLAIM = "landing"
LANDING = "/landing"
LAND_SECONDS = 120.0
MAX_BYTES = 64_000  # they are one argument, for which Linux allows 128 KiB
PROGRAM = """\
import base64, json, pathlib, sys
for name, text in json.loads(sys.argv[1]).items():
    path = pathlib.Path("/landing", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(text))
"""
POLL_SECONDS = 0.5


def land(kubectl: Kubectl, name: str, files: Mapping[str, bytes]) -> None:
    """Write small files, by their path below /landing, through a pod of that name.

    Raises:
        InvalidRequest: the cluster has no such volume, or the files cannot be written.
        TryAgain: the pod did not end in time.
    """
    size = sum(len(content) for content in files.values())
    if size > MAX_BYTES:
        raise InvalidRequest(f"{size} bytes are to land; at most {MAX_BYTES} can be sent to a pod.")
    if kubectl.find(TASKS, "persistentvolumeclaim", CLAIM) is None:
        sentence = (
            f"The cluster has no volume {CLAIM!r} in {TASKS}; add the component landing-volume to "
            "its overlay."
        )
        raise InvalidRequest(sentence)
    image = kubectl.get(PLATFORM, "configmap", "images")["data"]["tasks"]
    kubectl("-n", TASKS, "delete", f"pod/{name}", "--ignore-not-found")
    kubectl.create(pod(name, image, files))
    try:
        phase = _wait(kubectl, name)
        output = kubectl("-n", TASKS, "logs", name)
    finally:
        kubectl("-n", TASKS, "delete", f"pod/{name}", "--ignore-not-found", "--wait=false")
    if phase != "Succeeded":
        last = output.strip().splitlines()[-1:] or ["it printed nothing"]
        raise InvalidRequest(f"The pod {name} could not land its files: {last[0]}")


def pod(name: str, image: str, files: Mapping[str, bytes]) -> Resource:
    """Return the pod, as the namespace's Pod Security admits it."""
    encoded = {path: base64.b64encode(content).decode() for path, content in files.items()}
    container = {
        "name": "land",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", PROGRAM, json.dumps(encoded)],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [
            {"name": CLAIM, "mountPath": LANDING},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - the pod's own volume
        ],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "serviceAccountName": "stage",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": STAGE_USER,
            "runAsGroup": STAGE_USER,
            "fsGroup": STAGE_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }
    label, _, value = OURS.partition("=")
    metadata = {"name": name, "namespace": TASKS, "labels": {label: value}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _wait(kubectl: Kubectl, name: str) -> str:
    deadline = time.monotonic() + LAND_SECONDS
    while True:
        phase = str(kubectl.get(TASKS, "pod", name).get("status", {}).get("phase"))
        if phase in {"Succeeded", "Failed"}:
            return phase
        if time.monotonic() > deadline:
            raise TryAgain(f"The pod {name} did not end within {LAND_SECONDS:.0f} s ({phase}).")
        time.sleep(POLL_SECONDS)
