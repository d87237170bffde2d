"""The parts of a stage's pod: its labels, variables, folders and resources.

Nothing of Airflow: the client's models alone, so that every promise about a pod can be read here.
What one stage gets beyond the others is declared in `contract/stages.py`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from kubernetes.client import models as k8s  # type: ignore[import-untyped] # it ships no types

from contract.kubernetes import READS_SOURCES, USES_KUBERNETES_API
from contract.problem import Resources
from contract.runtime.environment import NO_TELEMETRY
from contract.runtime.process import RESULT_VARIABLE
from contract.stages import StageSecret, spec_of
from dags.stage.request import required

CONTAINER = "stage"
RESULT_FILE = "/dev/termination-log"

FORWARDED = ("AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "PERENNIAL_BUCKET")
KEYS = "/keys"
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
    """Return the labels by which policies and people select a stage's pod."""
    spec = spec_of(stage.task_id)
    selectors = {
        "app.kubernetes.io/name": "stage",
        "app.kubernetes.io/component": stage.task_id,
        "app.kubernetes.io/part-of": "perennial",
        "perennial/problem": stage.problem,
    }
    if spec.deploys:
        selectors[USES_KUBERNETES_API] = "true"
    if spec.reads_sources:
        selectors[READS_SOURCES] = "true"
    return selectors


def variables(
    stage: PodRequest, resources: Resources, airflow: Mapping[str, str]
) -> list[k8s.V1EnvVar]:
    """Return the pod's variables; those of sources come out of the Secret `source-PROBLEM`."""
    spec = spec_of(stage.task_id)
    values = {name: airflow[name] for name in FORWARDED if name in airflow}
    if airflow.get("PERENNIAL_AUTHORITIES"):
        values["AWS_CA_BUNDLE"] = f"{AUTHORITIES}/ca.crt"
    threads = str(max(1, int(resources.cpu)))
    values |= {**NO_TELEMETRY, RESULT_VARIABLE: RESULT_FILE, "OMP_NUM_THREADS": threads}
    values |= {secret.variable: _path_of(secret) for secret in spec.secrets}
    if spec.reads_problem_files:
        values["PERENNIAL_PROBLEMS"] = PROBLEMS
    if spec.deploys:
        values["PERENNIAL_SERVING_NAMESPACE"] = required("PERENNIAL_SERVING_NAMESPACE", airflow)
    listed = [k8s.V1EnvVar(name=name, value=value) for name, value in sorted(values.items())]
    for name in stage.sources if spec.reads_sources else ():
        reference = k8s.V1SecretKeySelector(name=f"source-{stage.problem}", key=name)
        source = k8s.V1EnvVarSource(secret_key_ref=reference)
        listed.append(k8s.V1EnvVar(name=name, value_from=source))
    return listed


def folders(
    stage: PodRequest, airflow: Mapping[str, str]
) -> tuple[list[k8s.V1Volume], list[k8s.V1VolumeMount]]:
    """Return the pod's volumes and mounts: scratch, its keys, its problem, landed files."""
    spec = spec_of(stage.task_id)
    volumes = [
        k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource(size_limit="20Gi"))
    ]
    mounts = [k8s.V1VolumeMount(name="scratch", mount_path="/tmp")]  # noqa: S108 - an own volume
    for secret in spec.secrets:
        source = k8s.V1SecretVolumeSource(secret_name=secret.name, default_mode=0o440)
        volumes.append(k8s.V1Volume(name=secret.name, secret=source))
        mounts.append(_mount(secret.name, f"{KEYS}/{secret.name}"))
    if spec.reads_problem_files:
        files = ("problem.yaml", "expectations.json")
        # A key of a ConfigMap has no slash in it: the folder comes back here.
        items = [
            k8s.V1KeyToPath(key=f"{stage.problem}.{file}", path=f"{stage.problem}/{file}")
            for file in files
        ]
        config = k8s.V1ConfigMapVolumeSource(name="problems", items=items, optional=True)
        volumes.append(k8s.V1Volume(name="problems", config_map=config))
        mounts.append(_mount("problems", PROBLEMS))
    authorities = airflow.get("PERENNIAL_AUTHORITIES")
    if authorities:
        config = k8s.V1ConfigMapVolumeSource(name=authorities)
        volumes.append(k8s.V1Volume(name="authorities", config_map=config))
        mounts.append(_mount("authorities", AUTHORITIES))
    claim = airflow.get("PERENNIAL_LANDING_CLAIM")
    if claim and spec.reads_sources:
        landed = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=claim, read_only=True)
        volumes.append(k8s.V1Volume(name="landing", persistent_volume_claim=landed))
        mounts.append(_mount("landing", LANDING))
    return volumes, mounts


def requirements(resources: Resources) -> k8s.V1ResourceRequirements:
    """Return requests and limits; no limit of CPU, which would only slow a stage on an idle node."""
    number, unit = int(resources.memory[:-2]), resources.memory[-2:]
    mebibytes = number * (1024 if unit == "Gi" else 1)
    kept = max(64, mebibytes // 10)
    return k8s.V1ResourceRequirements(
        requests={"cpu": f"{round(resources.cpu * 1000)}m", "memory": f"{kept}Mi"},
        limits={"memory": resources.memory},
    )


def _path_of(secret: StageSecret) -> str:
    folder = f"{KEYS}/{secret.name}"
    return f"{folder}/{secret.file}" if secret.file else folder


def _mount(name: str, path: str) -> k8s.V1VolumeMount:
    return k8s.V1VolumeMount(name=name, mount_path=path, read_only=True)
