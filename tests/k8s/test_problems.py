"""Adding a problem to a cluster is one line that names its folder."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.problems.kustomize import write_kustomizations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(
    kubectl: str, tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Quickstart with a second line, in a tree of its own."""
    own = shutil.copytree(tree, tmp_path_factory.mktemp("both") / "tree")
    overlay = own / "k8s" / "overlays" / "both"
    overlay.mkdir()
    hotel = own / "problems" / "hotel"
    with (hotel / "problem.yaml").open("a") as file:
        file.write("\nserving: { replicas: 3 }\n")
    write_kustomizations(hotel)
    text = (tree / "k8s" / "overlays" / "quickstart" / "kustomization.yaml").read_text()
    line = "  - ../../../problems/wine\n"
    text = text.replace(line, line + "  - ../../../problems/hotel\n")
    (overlay / "kustomization.yaml").write_text(text)
    command = [kubectl, "kustomize", overlay]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def test_each_problem_has_its_own_service(both: list[dict[str, Any]]) -> None:
    named = {
        (found["kind"], found["metadata"]["name"])
        for found in both
        if found["metadata"].get("namespace") == "perennial-serving"
    }
    kinds = ("Deployment", "PodDisruptionBudget", "Service")

    for problem in ("wine", "hotel"):
        assert {(kind, f"{problem}-serving") for kind in kinds} <= named


def test_a_service_sends_no_request_to_another_problems_pods(both: list[dict[str, Any]]) -> None:
    selectors = {
        found["metadata"]["name"]: found["spec"]["selector"]["perennial/problem"]
        for found in both
        if found["kind"] == "Service" and found["metadata"]["namespace"] == "perennial-serving"
    }

    assert selectors == {
        f"{problem}-serving{track}": problem
        for problem in ("wine", "hotel")
        for track in ("", "-canary", "-stable")
    }


def test_a_problem_says_how_many_pods_serve_it(both: list[dict[str, Any]]) -> None:
    found = {
        resource["metadata"]["name"]: resource["spec"].get("replicas")
        for resource in both
        if resource["kind"] == "Deployment"
        and resource["metadata"]["namespace"] == "perennial-serving"
    }

    assert found == {
        "wine-serving": 1,
        "wine-serving-canary": None,
        "hotel-serving": 3,
        "hotel-serving-canary": None,
    }


@pytest.mark.parametrize("namespace", ["perennial", "perennial-tasks"])
def test_airflow_and_the_stages_see_the_files_of_both(
    both: list[dict[str, Any]], tree: Path, namespace: str
) -> None:
    (found,) = (
        resource["data"]
        for resource in both
        if resource["kind"] == "ConfigMap"
        and (resource["metadata"]["namespace"], resource["metadata"]["name"])
        == (namespace, "problems")
    )

    assert {name for name in found if name.endswith(".problem.yaml")} == {
        "wine.problem.yaml",
        "hotel.problem.yaml",
    }
    assert found["wine.problem.yaml"] == (tree / "problems/wine/problem.yaml").read_text()


def test_files_that_are_there_are_as_they_would_be_written(tree: Path) -> None:
    """A problem that was added to the cluster long ago follows a change of these templates."""
    checkout = Path(__file__).parents[2]
    for path in sorted(checkout.glob("problems/*/kustomization.yaml")):
        name = path.parent.name
        for file in ("kustomization.yaml", "serving/kustomization.yaml"):
            assert (path.parent / file).read_text() == (tree / "problems" / name / file).read_text()
