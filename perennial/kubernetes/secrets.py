"""The Secrets `source-NAME`: the variables that a problem's sources mention, for its stages."""

import os
from collections.abc import Mapping

from contract.problem import Problem
from perennial.kubernetes.kubectl import OURS, TASKS, Kubectl


def secret_name(problem: str) -> str:
    """Return the name of the Secret."""
    return f"source-{problem}"


def missing_names(kubectl: Kubectl, problem: Problem) -> list[str]:
    """Return the names that the problem mentions and its Secret does not contain, sorted."""
    names = problem.environment_names()
    data = kubectl.secret(TASKS, secret_name(problem.name)) if names else None
    return sorted(names - (data or {}).keys())


def add_missing_names(
    kubectl: Kubectl, problem: Problem, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Add the missing variables that this shell has to the Secret; return their names.

    Existing values of the Secret are never changed: they may be another person's.
    """
    shell = os.environ if environment is None else environment
    added = {name: shell[name] for name in missing_names(kubectl, problem) if name in shell}
    if not added:
        return []
    name = secret_name(problem.name)
    if kubectl.find(TASKS, "secret", name) is None:
        label, _, value = OURS.partition("=")
        metadata = {"name": name, "namespace": TASKS, "labels": {label: value}}
        kubectl.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": added}
        )
    else:
        kubectl.patch(TASKS, f"secret/{name}", {"stringData": added}, kind="merge")
    return sorted(added)
