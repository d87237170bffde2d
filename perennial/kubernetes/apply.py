"""`up` on a cluster: apply an overlay, make Airflow load its problems at once, wait for Airflow.

Prediction services are not waited for: before its first model a service runs and is not ready.
"""

import time
from collections.abc import Sequence

from contract.errors import InvalidRequest, NotFound, TryAgain
from contract.kubernetes import READS_SOURCES
from contract.problem import Problem, read_problem
from perennial.kubernetes.kubectl import PLATFORM, TASKS, Kubectl, Resource
from perennial.kubernetes.namespace_snapshot import NamespaceSnapshot, sentences, waiting_for
from perennial.kubernetes.overlay import RenderedOverlay
from perennial.kubernetes.pod_faults import PodFault
from perennial.kubernetes.scaling import restore_scale
from perennial.kubernetes.secrets import add_missing_names, missing_names, secret_name
from perennial.local.home import Home
from perennial.platform import Report
from perennial.problems.find import FILE

APPLY_SECONDS = 180.0
POLL_SECONDS = 1.0
AIRFLOW = "app.kubernetes.io/name=airflow"
REFRESH_ANNOTATION = "perennial/nudge"


def apply(
    kubectl: Kubectl, home: Home, overlay: RenderedOverlay, report: Report, ready_seconds: float
) -> None:
    """Apply the overlay and wait up to `ready_seconds` until Airflow and the stores are up.

    Raises:
        InvalidRequest: the cluster refuses it, or an image or a Secret is missing.
        TryAgain: a component did not become ready; the message says which and why.
    """
    _remove_finished_jobs(kubectl, overlay)
    kubectl("apply", "-f", "-", stdin=overlay.text, seconds=APPLY_SECONDS)
    restore_scale(kubectl)
    _refresh_problem_files(kubectl)
    _free_stuck_pods(kubectl)
    problems = [read_problem(folder / FILE) for folder in overlay.problems]
    _add_source_variables(kubectl, problems, report)
    _warn_blocked_by_policy(overlay, problems, report)
    _warn_not_in_overlay(home, overlay, report)
    _wait(kubectl, overlay, report, ready_seconds)


def _remove_finished_jobs(kubectl: Kubectl, overlay: RenderedOverlay) -> None:
    """Delete the finished Jobs: a Job's template is immutable, and an image may have changed."""
    for job in overlay.of_kind("Job"):
        metadata = job["metadata"]
        existing = _find_job(kubectl, metadata)
        if existing is not None and _has_ended(existing):
            name = f"job/{metadata['name']}"  # its time to live may have removed it meanwhile
            kubectl("-n", metadata["namespace"], "delete", name, "--ignore-not-found")


def _find_job(kubectl: Kubectl, metadata: Resource) -> Resource | None:
    try:
        return kubectl.find(metadata["namespace"], f"job/{metadata['name']}")
    except NotFound:  # the namespace does not exist either
        return None


def _has_ended(job: Resource) -> bool:
    conditions = job.get("status", {}).get("conditions", [])
    return any(
        condition["type"] in {"Complete", "Failed"} and condition["status"] == "True"
        for condition in conditions
    )


def _refresh_problem_files(kubectl: Kubectl) -> None:
    """Change an annotation of Airflow's pods, so that kubelet updates their mounted files at once.

    Without it a new problem is in the pods after 60 to 90 s, with it after 0.6 s.
    """
    if kubectl.get(PLATFORM, "pods", "--selector", AIRFLOW)["items"]:
        arguments = ("annotate", "pods", "--selector", AIRFLOW, "--overwrite")
        kubectl("-n", PLATFORM, *arguments, f"{REFRESH_ANNOTATION}={time.time_ns()}")


def _free_stuck_pods(kubectl: Kubectl) -> None:
    """Delete pods that wait for an image: kubelet would retry after up to five minutes."""
    for pod, fault in NamespaceSnapshot(kubectl, PLATFORM).faults():
        if fault.kind == "image":
            name = f"pod/{pod['metadata']['name']}"
            kubectl("-n", PLATFORM, "delete", name, "--ignore-not-found", "--wait=false")


def _add_source_variables(kubectl: Kubectl, problems: Sequence[Problem], report: Report) -> None:
    """Add variables of this shell that are missing to the Secrets of the problems' sources."""
    for problem in problems:
        added = add_missing_names(kubectl, problem)
        if added:
            report(f"{', '.join(added)} of this shell is kept in {secret_name(problem.name)}")
        missing = missing_names(kubectl, problem)
        if missing:
            report(
                f"{problem.name} mentions {', '.join(missing)}, which is not set; set it and run "
                "`perennial up` again before its first run"
            )


def _warn_blocked_by_policy(
    overlay: RenderedOverlay, problems: Sequence[Problem], report: Report
) -> None:
    """Warn about problems whose source no network policy lets their stages reach."""
    selectors = [
        policy["spec"]["podSelector"].get("matchLabels", {})
        for policy in overlay.of_kind("NetworkPolicy")
        if policy["metadata"]["namespace"] == TASKS
    ]
    if not selectors or any(READS_SOURCES in labels for labels in selectors):
        return
    for problem in problems:
        blocked = [source.egress for source in problem.source.values() if source.egress]
        if blocked:
            report(
                f"{problem.name} reads {blocked[0].service}, and no network policy lets its stages "
                "out to one; add `- ../../components/database-sources` to the components of "
                f"{overlay.folder.name}"
            )


def _warn_not_in_overlay(home: Home, overlay: RenderedOverlay, report: Report) -> None:
    """Warn about local problems that the overlay does not name."""
    local = {file.parent.resolve() for file in home.problems.glob(f"*/{FILE}")}
    names = sorted(folder.name for folder in local - set(overlay.problems))
    if names:
        report(
            f"{overlay.folder.name} names no {' and no '.join(names)}; a line under `components` "
            "of its kustomization adds a problem"
        )


def _wait(kubectl: Kubectl, overlay: RenderedOverlay, report: Report, ready_seconds: float) -> None:
    deadline = time.monotonic() + ready_seconds
    reported = None
    while True:
        snapshot = NamespaceSnapshot(kubectl, PLATFORM)
        missing = waiting_for(snapshot.deployments)
        if missing is None:
            return
        if missing != reported:
            report(f"waiting for {missing} …")
            reported = missing
        _fail_fast(snapshot, overlay)
        if time.monotonic() > deadline:
            why = next(iter(sentences([snapshot])), "no pod has a fault")
            sentence = (
                f"{missing[0].upper()}{missing[1:]} is not ready after {ready_seconds:.0f} s: "
                f"{why.rstrip('.')}; see `perennial status`."
            )
            raise TryAgain(sentence)
        time.sleep(POLL_SECONDS)


def _fail_fast(snapshot: NamespaceSnapshot, overlay: RenderedOverlay) -> None:
    """Stop waiting for a fault that time does not fix: a missing image, or a Secret that no Job creates.

    Raises:
        InvalidRequest: there is such a fault.
    """
    creates_secrets = bool(overlay.of_kind("Job"))

    def is_permanent(fault: PodFault) -> bool:
        if fault.kind == "image":
            return fault.image in overlay.images  # else its pod is about to be replaced
        return fault.kind == "start" and "secret" in fault.sentence and not creates_secrets

    for pod, fault in snapshot.faults():
        if is_permanent(fault):
            raise InvalidRequest(f"The pod {pod['metadata']['name']} {fault.sentence}.")
