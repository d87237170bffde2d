"""A stage as a pod: the same command as a child process, started through the Kubernetes API.

Airflow's own operator makes the pod, follows its log and finds it again after a restart of the
scheduler; what the end means is decided here, since its own messages hide the cause. Imported only
where a pod is run: the client of the API costs 0.8 CPU-s and 75 MB.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.providers.cncf.kubernetes.operators.pod import (
    FoundMoreThanOnePodFailure,
    KubernetesPodOperator,
)
from airflow.providers.cncf.kubernetes.utils.pod_manager import (
    PodLaunchTimeoutException,
    PodManager,
    PodPhase,
)
from kubernetes.client import models as k8s  # type: ignore[import-untyped] # it ships no types
from kubernetes.client.exceptions import (  # type: ignore[import-untyped] # as above
    ApiException,
)
from urllib3.exceptions import HTTPError

from contract.kubernetes import STAGE_USER
from contract.problem import Resources
from contract.stages import spec_of
from dags.stage.exit_codes import StageResult
from dags.stage.log_lines import readable
from dags.stage.pod_result import interpret_error, interpret_pod, one_line
from dags.stage.pod_spec import (
    CONTAINER,
    PodRequest,
    folders,
    labels,
    requirements,
    variables,
)
from dags.stage.request import required

if TYPE_CHECKING:
    from airflow.sdk import Context

# Above Airflow's own limit: it ends the pod where Airflow is down and cannot.
DEADLINE_MARGIN = timedelta(minutes=1)
START_SECONDS = 60
LOOK_SECONDS = 0.1  # each look is a read of one pod, some 10 ms
REPORT_SECONDS = 2.0  # kubelet looks for ends every second
SCHEDULE_SECONDS = 120  # a node that an autoscaler adds is there by then, or the next try finds it


class _Manager(PodManager):
    """Airflow's manager that looks often for an end: its own looks are 1 and 2 s apart.

    The log ends with the container, and up to a second before kubelet tells the API so.
    """

    def container_is_running(self, pod: k8s.V1Pod, container_name: str) -> bool:
        """Return whether it still runs, after the time that kubelet needs to report its end."""
        runs = super().container_is_running
        return not _is_reported(lambda: not runs(pod, container_name))  # if so its log was cut

    def await_pod_completion(self, pod: k8s.V1Pod, *rest: Any, **named: Any) -> k8s.V1Pod:  # noqa: ANN401 - the parent's own arguments
        """Return the pod when it has ended."""
        _is_reported(lambda: self.read_pod(pod).status.phase in PodPhase.terminal_states)
        return super().await_pod_completion(pod, *rest, **named)


def _is_reported(has_ended: Callable[[], bool]) -> bool:
    """Return whether the API reports an end within the time that kubelet may take."""
    for _ in range(round(REPORT_SECONDS / LOOK_SECONDS)):
        if has_ended():
            return True
        time.sleep(LOOK_SECONDS)
    return False


class _Operator(KubernetesPodOperator):
    """Airflow's operator without its last step: a raise there replaces what really happened."""

    @cached_property
    def pod_manager(self) -> PodManager:
        """The manager of pods."""
        return _Manager(kube_client=self.client)

    def post_complete_action(self, **_: Any) -> None:  # noqa: ANN401 - the parent's own arguments
        """Leave the pod as it is; `Pod` looks at it first and deletes it then."""


class Pod:
    """One pod for one try of one stage."""

    def __init__(self, stage: PodRequest, arguments: Sequence[str], resources: Resources) -> None:
        self._resources = resources
        self._operator = _Operator(task_id=stage.task_id, **self._settings(stage, arguments))

    def run(self, context: "Context") -> StageResult:
        """Run the pod to its end and return what that means.

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
        ) as raised:
            error = raised
        finally:
            # Also where Airflow's limit ended the wait: no pod outlives its task.
            result = self._interpret(error)
        return result

    def end(self) -> None:
        """Delete the pod: somebody has marked the task as ended."""
        self._operator.on_kill()

    def _interpret(self, error: Exception | None) -> StageResult:
        pod = self._operator.pod
        if pod is None:
            return interpret_error(error)
        try:
            name, namespace = pod.metadata.name, pod.metadata.namespace
            remote = self._operator.client.read_namespaced_pod(name, namespace)
            result = interpret_pod(remote, self._resources.memory) or self._waiting(remote, error)
        except (ApiException, HTTPError) as raised:
            return interpret_error(raised)
        self._operator.process_pod_deletion(remote, reraise=False)
        return result

    def _waiting(self, remote: k8s.V1Pod, error: Exception | None) -> StageResult:
        """Return why a pod never began; the last warning about it says more than its state."""
        try:
            events = self._operator.client.list_namespaced_event(
                remote.metadata.namespace,
                field_selector=f"involvedObject.name={remote.metadata.name}",
            ).items
        except (ApiException, HTTPError):
            events = []
        warnings = [event for event in events if event.type == "Warning" and event.message]
        if isinstance(error, ApiException | HTTPError) or not warnings:
            return interpret_error(error)
        message = warnings[-1].message
        sentence = f"its pod did not begin: {one_line(message)}"
        if "not found" in message:
            return StageResult.failed(sentence)
        return StageResult.retried(sentence)

    def _settings(self, stage: PodRequest, arguments: Sequence[str]) -> dict[str, Any]:
        name = stage.task_id
        deploys = spec_of(name).deploys
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
            "arguments": list(arguments),
            "base_container_name": CONTAINER,
            "labels": labels(stage),
            "env_vars": variables(stage, self._resources, os.environ),
            "env_from": [k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name="store"))],
            "volumes": volumes,
            "volume_mounts": mounts,
            "service_account_name": "deployer" if deploys else "stage",
            "automount_service_account_token": deploys,
            "security_context": k8s.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=STAGE_USER,
                run_as_group=STAGE_USER,
                fs_group=STAGE_USER,
                fs_group_change_policy="OnRootMismatch",
                seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
            ),
            "container_security_context": k8s.V1SecurityContext(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=k8s.V1Capabilities(drop=["ALL"]),
            ),
            "container_resources": requirements(self._resources),
            "active_deadline_seconds": (
                int((limit + DEADLINE_MARGIN).total_seconds()) if limit else None
            ),
            "termination_grace_period": int(stage.grace_seconds),
            "termination_message_policy": "FallbackToLogsOnError",
            "startup_timeout_seconds": START_SECONDS,
            "schedule_timeout_seconds": SCHEDULE_SECONDS,
            "startup_check_interval_seconds": 2 * LOOK_SECONDS,
            "log_events_on_startup": False,
            "container_name_log_prefix_enabled": False,
            "log_formatter": lambda _container, line: readable(line)[1],
            "do_xcom_push": False,
            "deferrable": False,  # LocalExecutor of 3.3.2 loses deferred tasks
            "on_finish_action": "delete_pod",
        }
