"""What a stage's pod is: its labels, variables, folders and resources.

Nothing of Airflow: the client's models alone, so that every promise about a pod can be read here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from kubernetes.client import models as k8s  # type: ignore[import-untyped] # it ships no types

from contract.problem import Resources
from contract.runtime.process import RESULT_VARIABLE
from dags.stage.request import READS_SOURCES, SILENT, required

CONTAINER = "stage"
RESULT_FILE = "/dev/termination-log"
USER = 10_001

FORWARDED = ("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "PERENNIAL_BUCKET")
KEYS = "/keys"
# Secrets as folders: who may sign is not who may judge or deploy.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "training": ("signing-key",),
    "evaluation": ("verify-keys",),
    "deployment": ("verify-keys", "api-key"),
    "monitoring": ("verify-keys",),
}
PLACES = {
    "signing-key": ("PERENNIAL_SIGNING_KEY", f"{KEYS}/signing-key/signing.pem"),
    "verify-keys": ("PERENNIAL_VERIFY_KEYS", f"{KEYS}/verify-keys"),
    "api-key": ("PERENNIAL_API_KEY", f"{KEYS}/api-key/api.key"),
}
DEPLOYMENT = "deployment"
PROBLEMS = "/problems"
LANDING = "/landing"
AUTHORITIES = "/authorities"


class PodRequest(Protocol):
    """What is read of the operator that runs the pod."""

    task_id: str
    problem: str
    sources: tuple[str, ...]
    grace_seconds: float
    execution_timeout: timedelta | None


def labels(stage: PodRequest) -> dict[str, str]:
    """Return what policies and people select a stage's pod by."""
    found = {
        "app.kubernetes.io/name": "stage",
        "app.kubernetes.io/component": stage.task_id,
        "app.kubernetes.io/part-of": "perennial",
        "perennial/problem": stage.problem,
    }
    if stage.task_id == DEPLOYMENT:
        found["perennial/kubernetes-api"] = "true"
    if stage.task_id in READS_SOURCES:
        found["perennial/reads-sources"] = "true"
    return found


def variables(stage: PodRequest, needs: Resources, given: Mapping[str, str]) -> list[k8s.V1EnvVar]:
    """Return the pod's variables; those of sources come out of the Secret `source-PROBLEM`."""
    values = {name: given[name] for name in FORWARDED if name in given}
    if given.get("PERENNIAL_AUTHORITIES"):
        values["AWS_CA_BUNDLE"] = f"{AUTHORITIES}/ca.crt"
    threads = str(max(1, int(needs.cpu)))
    values |= {**SILENT, RESULT_VARIABLE: RESULT_FILE, "OMP_NUM_THREADS": threads}
    values |= dict(PLACES[secret] for secret in SECRETS.get(stage.task_id, ()))
    if stage.task_id == "problem":
        values["PERENNIAL_PROBLEMS"] = PROBLEMS
    if stage.task_id == DEPLOYMENT:
        values["PERENNIAL_SERVING_NAMESPACE"] = required("PERENNIAL_SERVING_NAMESPACE", given)
    found = [k8s.V1EnvVar(name=name, value=value) for name, value in sorted(values.items())]
    for name in stage.sources if stage.task_id in READS_SOURCES else ():
        reference = k8s.V1SecretKeySelector(name=f"source-{stage.problem}", key=name)
        source = k8s.V1EnvVarSource(secret_key_ref=reference)
        found.append(k8s.V1EnvVar(name=name, value_from=source))
    return found


def folders(
    stage: PodRequest, given: Mapping[str, str]
) -> tuple[list[k8s.V1Volume], list[k8s.V1VolumeMount]]:
    """Return what the pod sees of files: scratch, its keys, its problem, landed files."""
    volumes = [
        k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource(size_limit="20Gi"))
    ]
    mounts = [k8s.V1VolumeMount(name="scratch", mount_path="/tmp")]  # noqa: S108 - an own volume
    for secret in SECRETS.get(stage.task_id, ()):
        source = k8s.V1SecretVolumeSource(secret_name=secret, default_mode=0o440)
        volumes.append(k8s.V1Volume(name=secret, secret=source))
        mounts.append(_mount(secret, f"{KEYS}/{secret}"))
    if stage.task_id == "problem":
        files = ("problem.yaml", "expectations.json")
        # A key of a ConfigMap has no slash in it: the folder comes back here.
        items = [
            k8s.V1KeyToPath(key=f"{stage.problem}.{file}", path=f"{stage.problem}/{file}")
            for file in files
        ]
        config = k8s.V1ConfigMapVolumeSource(name="problems", items=items, optional=True)
        volumes.append(k8s.V1Volume(name="problems", config_map=config))
        mounts.append(_mount("problems", PROBLEMS))
    authorities = given.get("PERENNIAL_AUTHORITIES")
    if authorities:
        config = k8s.V1ConfigMapVolumeSource(name=authorities)
        volumes.append(k8s.V1Volume(name="authorities", config_map=config))
        mounts.append(_mount("authorities", AUTHORITIES))
    claim = given.get("PERENNIAL_LANDING_CLAIM")
    if claim and stage.task_id in READS_SOURCES:
        landed = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=claim, read_only=True)
        volumes.append(k8s.V1Volume(name="landing", persistent_volume_claim=landed))
        mounts.append(_mount("landing", LANDING))
    return volumes, mounts


def requirements(given: Resources) -> k8s.V1ResourceRequirements:
    """Return requests and limits; no limit of CPU, which would only slow a stage on an idle node."""
    number, unit = int(given.memory[:-2]), given.memory[-2:]
    mebibytes = number * (1024 if unit == "Gi" else 1)
    kept = max(64, mebibytes // 10)
    return k8s.V1ResourceRequirements(
        requests={"cpu": f"{round(given.cpu * 1000)}m", "memory": f"{kept}Mi"},
        limits={"memory": given.memory},
    )


def _mount(name: str, path: str) -> k8s.V1VolumeMount:
    return k8s.V1VolumeMount(name=name, mount_path=path, read_only=True)
