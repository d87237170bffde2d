"""The component `metrics` in a real cluster: whom would a Prometheus read, and is it let in?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.k8s.cluster import PLATFORM, SERVING, Cluster
from benchmarks.k8s.installation import Installation

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PROMETHEUS = "monitoring"  # the namespace that the component lets in
READ = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
except OSError:
    print("shut")
"""


@pytest.fixture(scope="module")
def monitor(platform: Installation, tree: Path) -> Iterator[dict[str, Any]]:
    """The ServiceMonitor, whose kind the cluster does not know; all else is applied."""
    overlay = tree / "k8s" / "overlays" / "metrics"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("components: [../../components/metrics]\n")
    found = list(yaml.safe_load_all(platform.cluster("kustomize", overlay)))
    (monitor,) = [one for one in found if one["kind"] == "ServiceMonitor"]
    found.remove(monitor)
    rest = yaml.safe_dump_all(found)
    platform.cluster("create", "namespace", PROMETHEUS)
    platform.cluster("apply", "-f", "-", given=rest)
    yield monitor["spec"]
    platform.cluster("delete", "-f", "-", given=rest)
    platform.cluster("delete", "namespace", PROMETHEUS, "--wait=false")


def test_each_problem_has_one_service_to_be_read(
    monitor: dict[str, Any], platform: Installation
) -> None:
    """A pod that is found by two is counted twice."""
    wanted = ",".join(
        f"{name}={value}" for name, value in monitor["selector"]["matchLabels"].items()
    )
    services = platform.cluster.get(SERVING, "services", "-l", wanted)["items"]
    (endpoint,), (label,) = monitor["endpoints"], monitor["targetLabels"]
    names = [service["metadata"]["name"] for service in services]

    assert "wine-serving" in names
    assert [f"{service['metadata']['labels'][label]}-serving" for service in services] == names
    for service in services:
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


@pytest.mark.usefixtures("monitor")
def test_only_the_namespace_of_prometheus_reads_a_pod(platform: Installation) -> None:
    pod, *_ = platform.cluster.pods(SERVING, "perennial/problem=wine,perennial/track=stable")
    url = f"http://{pod['status']['podIP']}:8080/metrics"

    assert "perennial_ready" in _read(platform.cluster, PROMETHEUS, url)
    assert _read(platform.cluster, "default", url) == "shut"


def _read(cluster: Cluster, namespace: str, url: str) -> str:
    """Return what a pod of a namespace finds at `url`."""
    image = cluster.get(PLATFORM, "configmap", "images")["data"]["tasks"]
    options = (f"--image={image}", "--image-pull-policy=IfNotPresent", "--restart=Never")
    run = ("run", "reader", *options, "--quiet", "-i", "--rm", "--command", "--")
    return cluster("-n", namespace, *run, "python", "-c", READ, url).strip()
