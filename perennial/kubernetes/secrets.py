"""The Secrets `source-NAME`: what the sources of a problem mention, for the stages that read them."""

import os
from collections.abc import Mapping

from contract.problem import Problem
from perennial.kubernetes.kubectl import OURS, TASKS, Kubectl


def secret_name(problem: str) -> str:
    """Return the name of the Secret."""
    return f"source-{problem}"


def absent_names(kubectl: Kubectl, problem: Problem) -> list[str]:
    """Return what the problem mentions and its Secret does not hold, sorted."""
    names = problem.environment_names()
    held = kubectl.secret(TASKS, secret_name(problem.name)) if names else None
    return sorted(names - (held or {}).keys())


def keep_names(
    kubectl: Kubectl, problem: Problem, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Put what is missing and is set in this shell into the Secret; return the names.

    What the Secret holds already is never changed: it may be another person's.
    """
    found = os.environ if environment is None else environment
    given = {name: found[name] for name in absent_names(kubectl, problem) if name in found}
    if not given:
        return []
    name = secret_name(problem.name)
    if kubectl.find(TASKS, "secret", name) is None:
        label, _, value = OURS.partition("=")
        about = {"name": name, "namespace": TASKS, "labels": {label: value}}
        kubectl.make({"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": given})
    else:
        kubectl.patch(TASKS, f"secret/{name}", {"stringData": given}, kind="merge")
    return sorted(given)
