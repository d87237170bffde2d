"""`up` on a cluster: apply an overlay, show its problems to Airflow at once, wait for Airflow.

Services are not waited for: before its first model one is up and honestly not ready.
"""

import time
from collections.abc import Sequence

from contract.errors import AskedWrongly, NotFound, TryAgain
from contract.kubernetes import READS_SOURCES
from contract.problem import Problem, read_problem
from perennial.kubernetes.kubectl import PLATFORM, TASKS, Kubectl, Resource
from perennial.kubernetes.namespace_snapshot import Look, sentences, waiting_for
from perennial.kubernetes.overlay import Rendered
from perennial.kubernetes.pod_faults import PodFault
from perennial.kubernetes.scaling import scale_back
from perennial.kubernetes.secrets import absent_names, keep_names, secret_name
from perennial.local.home import Home
from perennial.platform import Report
from perennial.problems.find import FILE

APPLY_SECONDS = 180.0
READY_SECONDS = 300.0  # 34 s is usual where the images are on the nodes already
POLL_SECONDS = 1.0
AIRFLOW = "app.kubernetes.io/name=airflow"
NUDGE = "perennial/nudge"


def bring_up(kubectl: Kubectl, home: Home, overlay: Rendered, report: Report) -> None:
    """Apply the overlay and wait until Airflow and the stores are up.

    Raises:
        AskedWrongly: the cluster refuses it, or an image or a Secret is not there.
        TryAgain: something did not become ready; the sentence says what and why.
    """
    _remove_finished_jobs(kubectl, overlay)
    kubectl("apply", "-f", "-", given=overlay.text, seconds=APPLY_SECONDS)
    scale_back(kubectl)
    _nudge(kubectl)
    _free_stuck_pods(kubectl)
    problems = [read_problem(folder / FILE) for folder in overlay.problems]
    _keep_sources(kubectl, problems, report)
    _say_shut_in(overlay, problems, report)
    _say_left_out(home, overlay, report)
    _wait(kubectl, overlay, report)


def _remove_finished_jobs(kubectl: Kubectl, overlay: Rendered) -> None:
    """Delete the Jobs that have ended: a Job's template is immutable, and an image has changed."""
    for job in overlay.of_kind("Job"):
        about = job["metadata"]
        found = _job(kubectl, about)
        if found is not None and _has_ended(found):
            name = f"job/{about['name']}"  # which its time to live may take away meanwhile
            kubectl("-n", about["namespace"], "delete", name, "--ignore-not-found")


def _job(kubectl: Kubectl, about: Resource) -> Resource | None:
    try:
        return kubectl.find(about["namespace"], f"job/{about['name']}")
    except NotFound:  # not even the namespace is there
        return None


def _has_ended(job: Resource) -> bool:
    conditions = job.get("status", {}).get("conditions", [])
    return any(
        found["type"] in {"Complete", "Failed"} and found["status"] == "True"
        for found in conditions
    )


def _nudge(kubectl: Kubectl) -> None:
    """Change an annotation of Airflow's pods: kubelet then looks at their files at once.

    Without it a new problem is in the pods after 60 to 90 s, with it after 0.6 s.
    """
    if kubectl.get(PLATFORM, "pods", "--selector", AIRFLOW)["items"]:
        words = ("annotate", "pods", "--selector", AIRFLOW, "--overwrite")
        kubectl("-n", PLATFORM, *words, f"{NUDGE}={time.time_ns()}")


def _free_stuck_pods(kubectl: Kubectl) -> None:
    """Delete pods that wait for an image: kubelet would look again after up to five minutes."""
    for pod, wrong in Look(kubectl, PLATFORM).faults():
        if wrong.kind == "image":
            name = f"pod/{pod['metadata']['name']}"
            kubectl("-n", PLATFORM, "delete", name, "--ignore-not-found", "--wait=false")


def _keep_sources(kubectl: Kubectl, problems: Sequence[Problem], report: Report) -> None:
    """Put variables of this shell that are missing into the Secrets of the problems' sources."""
    for problem in problems:
        kept = keep_names(kubectl, problem)
        if kept:
            report(f"{', '.join(kept)} of this shell is kept in {secret_name(problem.name)}")
        absent = absent_names(kubectl, problem)
        if absent:
            report(
                f"{problem.name} mentions {', '.join(absent)}, which is not set; set it and run "
                "`perennial up` again before its first run"
            )


def _say_shut_in(overlay: Rendered, problems: Sequence[Problem], report: Report) -> None:
    """Name the problems that read a database which their stages cannot reach."""
    selectors = [
        policy["spec"]["podSelector"].get("matchLabels", {})
        for policy in overlay.of_kind("NetworkPolicy")
        if policy["metadata"]["namespace"] == TASKS
    ]
    if not selectors or any(READS_SOURCES in labels for labels in selectors):
        return
    for problem in problems:
        needed = [source.egress for source in problem.source.values() if source.egress]
        if needed:
            report(
                f"{problem.name} reads {needed[0].service}, and no network policy lets its stages "
                "out to one; add `- ../../components/database-sources` to the components of "
                f"{overlay.folder.name}"
            )


def _say_left_out(home: Home, overlay: Rendered, report: Report) -> None:
    here = {file.parent.resolve() for file in home.problems.glob(f"*/{FILE}")}
    names = sorted(folder.name for folder in here - set(overlay.problems))
    if names:
        report(
            f"{overlay.folder.name} names no {' and no '.join(names)}; a line under `components` "
            "of its kustomization adds a problem"
        )


def _wait(kubectl: Kubectl, overlay: Rendered, report: Report) -> None:
    deadline = time.monotonic() + READY_SECONDS
    told = None
    while True:
        look = Look(kubectl, PLATFORM)
        lacking = waiting_for(look.deployments)
        if lacking is None:
            return
        if lacking != told:
            report(f"waiting for {lacking} …")
            told = lacking
        _refuse_hopeless(look, overlay)
        if time.monotonic() > deadline:
            why = next(iter(sentences([look])), "no pod says why")
            sentence = (
                f"{lacking[0].upper()}{lacking[1:]} is not ready after {READY_SECONDS:.0f} s: "
                f"{why.rstrip('.')}; see `perennial status`."
            )
            raise TryAgain(sentence)
        time.sleep(POLL_SECONDS)


def _refuse_hopeless(look: Look, overlay: Rendered) -> None:
    """End the wait where no time helps: an image of this overlay, or a Secret that nobody makes.

    Raises:
        AskedWrongly: it is so.
    """
    makes_secrets = bool(overlay.of_kind("Job"))

    def is_hopeless(wrong: PodFault) -> bool:
        if wrong.kind == "image":
            return wrong.image in overlay.images  # and not of a pod that is about to be replaced
        return wrong.kind == "start" and "secret" in wrong.sentence and not makes_secrets

    for pod, wrong in look.faults():
        if is_hopeless(wrong):
            raise AskedWrongly(f"The pod {pod['metadata']['name']} {wrong.sentence}.")
