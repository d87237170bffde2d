"""A stage as a pod: the same words as a child process, asked of the Kubernetes API.

Airflow's own operator makes the pod, follows its log and finds it again after a restart of the
scheduler; what the end means is decided here, since its own messages hide the cause. Imported only
where a pod is run: the client of the API costs half a second and 160 MB.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.providers.cncf.kubernetes.operators.pod import (
    FoundMoreThanOnePodFailure,
    KubernetesPodOperator,
)
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLaunchTimeoutException
from kubernetes.client import models as k8s  # type: ignore[import-untyped] # it ships no types
from kubernetes.client.exceptions import (  # type: ignore[import-untyped] # as above
    ApiException,
)
from urllib3.exceptions import HTTPError

from contract.problem import Resources
from contract.task import RESULT_VARIABLE
from dags.asking import READS_SOURCES, SILENT, required
from dags.endings import Ending, Fate, settle
from dags.log_lines import readable

if TYPE_CHECKING:
    from airflow.sdk import Context

CONTAINER = "stage"
RESULT_FILE = "/dev/termination-log"
USER = 10_001
# Above Airflow's own limit: it ends the pod where Airflow is down and cannot.
DEADLINE_MARGIN = timedelta(minutes=1)
START_SECONDS = 60
SCHEDULE_SECONDS = 120  # a node that an autoscaler adds is there by then, or the next try finds it

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

# What a container waits for and never gets; the message says what it is.
HOPELESS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
FORBIDDEN = frozenset({400, 403, 405, 422})
GONE = 404


class Asked(Protocol):
    """What is read of the operator that runs the pod."""

    task_id: str
    problem: str
    sources: tuple[str, ...]
    grace_seconds: float
    execution_timeout: timedelta | None


class _Operator(KubernetesPodOperator):
    """Airflow's operator without its last word: a raise there replaces what really happened."""

    def post_complete_action(self, **_: Any) -> None:  # noqa: ANN401 - the parent's own arguments
        """Leave the pod as it is; `Pod` looks at it first and deletes it then."""


class Pod:
    """One pod for one try of one stage."""

    def __init__(self, stage: Asked, words: Sequence[str], needs: Resources) -> None:
        self._needs = needs
        self._operator = _Operator(task_id=stage.task_id, **self._settings(stage, words))

    def run(self, context: "Context") -> Ending:
        """Run the pod to its end and tell what it means.

        A pod of an earlier try that still runs is taken over: its result is as good.
        """
        error: Exception | None = None
        try:
            self._operator.execute_sync(context)
        except (
            ApiException,
            FoundMoreThanOnePodFailure,
            HTTPError,
            PodLaunchFailedException,
            PodLaunchTimeoutException,
        ) as found:
            error = found
        finally:
            # Also where Airflow's limit ended the wait: no pod outlives its task.
            seen = self._look(error)
        return seen

    def end(self) -> None:
        """Delete the pod, as somebody has marked the task."""
        self._operator.on_kill()

    def _look(self, error: Exception | None) -> Ending:
        pod = self._operator.pod
        if pod is None:
            return refusal(error)
        try:
            name, namespace = pod.metadata.name, pod.metadata.namespace
            remote = self._operator.client.read_namespaced_pod(name, namespace)
            ending = judge(remote, self._needs.memory) or self._waiting(remote, error)
        except (ApiException, HTTPError) as found:
            return refusal(found)
        self._operator.process_pod_deletion(remote, reraise=False)
        return ending

    def _waiting(self, remote: k8s.V1Pod, error: Exception | None) -> Ending:
        """Tell why a pod never began; the last warning about it says more than its state."""
        try:
            events = self._operator.client.list_namespaced_event(
                remote.metadata.namespace,
                field_selector=f"involvedObject.name={remote.metadata.name}",
            ).items
        except (ApiException, HTTPError):
            events = []
        warnings = [event for event in events if event.type == "Warning" and event.message]
        if isinstance(error, ApiException | HTTPError) or not warnings:
            return refusal(error)
        last = warnings[-1]
        fate = Fate.FAIL if "not found" in last.message else Fate.RETRY
        return Ending(fate=fate, sentence=f"its pod did not begin: {_sentence(last.message)}")

    def _settings(self, stage: Asked, words: Sequence[str]) -> dict[str, Any]:
        name = stage.task_id
        is_deployer = name == DEPLOYMENT
        limit = stage.execution_timeout
        volumes, mounts = folders(stage, os.environ)
        return {
            "name": f"{stage.problem}-{name}",
            "namespace": required("PERENNIAL_NAMESPACE", os.environ),
            "image": required("PERENNIAL_TASKS_IMAGE", os.environ),
            "image_pull_policy": "IfNotPresent",
            "kubernetes_conn_id": None,
            "in_cluster": "KUBERNETES_SERVICE_HOST" in os.environ,
            "cmds": ["python", "-m", "tasks"],
            "arguments": list(words),
            "base_container_name": CONTAINER,
            "labels": labels(stage),
            "env_vars": variables(stage, self._needs, os.environ),
            "env_from": [k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name="store"))],
            "volumes": volumes,
            "volume_mounts": mounts,
            "service_account_name": "deployer" if is_deployer else "stage",
            "automount_service_account_token": is_deployer,
            "security_context": k8s.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=USER,
                run_as_group=USER,
                fs_group=USER,
                fs_group_change_policy="OnRootMismatch",
                seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
            ),
            "container_security_context": k8s.V1SecurityContext(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=k8s.V1Capabilities(drop=["ALL"]),
            ),
            "container_resources": requirements(self._needs),
            "active_deadline_seconds": (
                int((limit + DEADLINE_MARGIN).total_seconds()) if limit else None
            ),
            "termination_grace_period": int(stage.grace_seconds),
            "termination_message_policy": "FallbackToLogsOnError",
            "startup_timeout_seconds": START_SECONDS,
            "schedule_timeout_seconds": SCHEDULE_SECONDS,
            "startup_check_interval_seconds": 1,
            "log_events_on_startup": False,
            "container_name_log_prefix_enabled": False,
            "log_formatter": lambda _container, line: readable(line)[1],
            "do_xcom_push": False,
            "deferrable": False,  # LocalExecutor of 3.3.2 loses deferred tasks
            "on_finish_action": "delete_pod",
        }


def labels(stage: Asked) -> dict[str, str]:
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


def variables(stage: Asked, needs: Resources, given: Mapping[str, str]) -> list[k8s.V1EnvVar]:
    """Return the pod's variables; those of sources come out of the Secret `source-PROBLEM`."""
    values = {name: given[name] for name in FORWARDED if name in given}
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
    stage: Asked, given: Mapping[str, str]
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


def judge(pod: k8s.V1Pod, memory: str) -> Ending | None:
    """Tell what the pod's own state says; None: it never began, and does not say why.

    Kubernetes' reason comes first: the last log line of a pod out of memory is about something
    else, and its exit code is that of any kill.
    """
    status = pod.status
    states = [
        entry.state
        for entry in status.container_statuses or []
        if entry.name == CONTAINER and entry.state
    ]
    ended = next((state.terminated for state in states if state.terminated), None)
    if status.reason == "DeadlineExceeded":
        limit = pod.spec.active_deadline_seconds
        return Ending(
            fate=Fate.FAIL,
            sentence=f"DeadlineExceeded: it ran longer than {limit} s; give it less to do.",
        )
    disrupted = next(
        (found for found in status.conditions or [] if found.type == "DisruptionTarget"), None
    )
    if disrupted is not None or status.reason in {"Evicted", "Preempting", "NodeLost"}:
        told = disrupted or status
        return Ending(
            fate=Fate.RETRY,
            sentence=f"its pod was taken away ({told.reason}): {_sentence(told.message or '')}",
        )
    if ended is not None:
        return _ended(pod, ended, memory)
    return _stuck(status, [state.waiting for state in states if state.waiting])


def refusal(error: Exception | None) -> Ending:
    """Tell what an error of the Kubernetes API means; only its own message is shown."""
    if isinstance(error, ApiException):
        said = _message(error)
        if error.status == GONE:
            return Ending(fate=Fate.RETRY, sentence="its pod was deleted; it is tried again.")
        if error.status in FORBIDDEN:
            return Ending(fate=Fate.FAIL, sentence=f"Kubernetes refused its pod: {said}")
        return Ending(fate=Fate.RETRY, sentence=f"Kubernetes answered {error.status}: {said}")
    said = _sentence(str(error)) if error else "it ended, and nothing tells how."
    return Ending(fate=Fate.RETRY, sentence=f"its pod could not be followed: {said}")


def _ended(pod: k8s.V1Pod, ended: k8s.V1ContainerStateTerminated, memory: str) -> Ending:
    if ended.reason == "OOMKilled":
        return Ending(
            fate=Fate.FAIL,
            sentence=f"OOMKilled: it needs more memory than its limit of {memory}; "
            "give it fewer rows or candidates, or a higher limit.",
        )
    message = ended.message or ""
    lines = [line for line in message.splitlines() if line.strip()]
    ending = settle(ended.exit_code, message.encode(), readable(lines[-1])[1] if lines else "")
    if ending.fate is Fate.RETRY and pod.metadata.deletion_timestamp is not None:
        return Ending(fate=Fate.RETRY, sentence=f"its pod was deleted; {ending.sentence}")
    return ending


def _stuck(
    status: k8s.V1PodStatus, waiting: Sequence[k8s.V1ContainerStateWaiting]
) -> Ending | None:
    for state in waiting:
        if state.reason in HOPELESS:
            said = _sentence(state.message or "no message")
            return Ending(fate=Fate.FAIL, sentence=f"{state.reason}: {said}")
    for condition in status.conditions or []:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            said = _sentence(condition.message or "no message")
            return Ending(fate=Fate.RETRY, sentence=f"no node has room for its pod: {said}")
    if status.phase == "Failed":
        said = _sentence(status.message or status.reason or "no message")
        return Ending(fate=Fate.RETRY, sentence=f"its pod failed before it began: {said}")
    return None


def _message(error: ApiException) -> str:
    try:
        found = json.loads(error.body or "")
    except ValueError:
        return _sentence(str(error.reason))
    return _sentence(str(found.get("message", error.reason) if isinstance(found, dict) else found))


def _sentence(text: str) -> str:
    """Return the text as one line, at most 600 characters."""
    return " ".join(text.split())[:600]


def _mount(name: str, path: str) -> k8s.V1VolumeMount:
    return k8s.V1VolumeMount(name=name, mount_path=path, read_only=True)
