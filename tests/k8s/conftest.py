"""Manifests as kubectl renders them, and pods as Airflow's interpreter makes them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import validate
import yaml
from fixtures_airflow import ROOT, airflow_environment, ask

from benchmarks.k8s.cluster import PLATFORM, Cluster, open_cluster
from benchmarks.k8s.installation import Installation, install, uninstall
from perennial.problems.kustomize import write_kustomizations

__all__ = ["airflow_environment"]

collect_ignore_glob = ["inside/*"]

INSIDE = Path(__file__).parent / "inside"
OVERLAYS = ("production", "quickstart", "test")


@pytest.fixture(scope="session")
def kubectl() -> str:
    """kubectl as the environment of the tests has it; renders without a cluster."""
    return str(Path(sys.executable).parent / "kubectl")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifests with every problem of the checkout, and an overlay for all options."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("k8s", "problems"):
        shutil.copytree(ROOT / name, folder / name)
    for problem in sorted(folder.glob("problems/*/problem.yaml")):
        write_kustomizations(problem.parent)
    options = folder / "k8s" / "overlays" / "options"
    options.mkdir()
    components = "".join(f"  - ../../components/{name}\n" for name in validate.OPTIONS)
    kustomization = f"resources:\n  - ../quickstart\ncomponents:\n{components}"
    (options / "kustomization.yaml").write_text(kustomization)
    return folder


@pytest.fixture(scope="session")
def rendered(kubectl: str, tree: Path) -> dict[str, list[dict[str, Any]]]:
    """The resources of each overlay."""
    return {name: render(kubectl, tree, name) for name in (*OVERLAYS, "options")}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """That of KUBECONFIG, with the images on its nodes, else one that TEST_CLUSTER boots.

    Nothing of Perennial is in it, and nothing is left.
    """
    if not (os.environ.get("KUBECONFIG") or os.environ.get("TEST_CLUSTER")):
        pytest.skip(
            "Neither KUBECONFIG nor TEST_CLUSTER is set, so there is no cluster to test in."
        )
    with open_cluster(tmp_path_factory.mktemp("cluster")) as found:
        if found("get", "namespace", PLATFORM, "--ignore-not-found"):
            pytest.fail(
                f"The cluster has a namespace {PLATFORM}; these tests delete it at their end, so "
                "they want a cluster of their own."
            )
        yield found
        uninstall(found)


@pytest.fixture(scope="session")
def platform(cluster: Cluster, tree: Path) -> Iterator[Installation]:
    """Quickstart, with Airflow up and the wines landed; nothing has run yet."""
    with install(cluster, tree) as found:
        yield found


@pytest.fixture(scope="session")
def pods(airflow_environment: dict[str, str]) -> Any:
    """What came of pods that end in every way, on a fake Kubernetes API."""
    given = airflow_environment | {
        "AWS_ENDPOINT_URL": "http://store:8333",
        "PERENNIAL_RUNNER": "kubernetes",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}",
    }
    return ask(INSIDE / "pods.py", given)


def render(kubectl: str, tree: Path, overlay: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [kubectl, "kustomize", tree / "k8s" / "overlays" / overlay],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{overlay} cannot be rendered: {done.stderr}")
    return list(yaml.safe_load_all(done.stdout))
