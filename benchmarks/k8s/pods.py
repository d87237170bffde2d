"""A pod of a trial's own, as careful as those of the product."""

from typing import Any

from contract.kubernetes import STAGE_USER

LANDING_VOLUME = [
    {"name": "landing", "persistentVolumeClaim": {"claimName": "landing"}},
    {"name": "scratch", "emptyDir": {}},
]


def restricted_pod(name: str, namespace: str, image: str, command: list[str]) -> dict[str, Any]:
    """Return a pod that the standard `restricted` lets in, with the landing volume and scratch."""
    context = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "python",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "securityContext": context,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [
            {"name": "landing", "mountPath": "/landing"},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - the pod's own volume
        ],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "serviceAccountName": "stage",
        "terminationGracePeriodSeconds": 2,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": STAGE_USER,
            "runAsGroup": STAGE_USER,
            "fsGroup": STAGE_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": LANDING_VOLUME,
    }
    # What a stage may reach, it may reach too.
    labels = {"app.kubernetes.io/name": "stage", "app.kubernetes.io/component": "by-hand"}
    about = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}
