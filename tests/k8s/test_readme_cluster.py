"""The README's section on Kubernetes, word by word, on a cluster where nothing is installed."""

from pathlib import Path

import pytest
from documents import commands

from benchmarks.k8s.cluster import ROOT, SERVING, Cluster
from benchmarks.k8s.installation import uninstall

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_whoever_follows_the_readme_has_a_model_that_serves(
    cluster: Cluster, tmp_path: Path
) -> None:
    uninstall(cluster)  # this module comes last
    (block,) = commands(ROOT / "README.md", "On Kubernetes")

    printed = cluster.shell(ROOT, block, {"PERENNIAL_HOME": str(tmp_path)})

    assert "The platform is up" in printed
    deployment = cluster.get(SERVING, "deployment", "wine-serving")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    result = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert deployment["status"]["readyReplicas"] == 1
    assert result["MODEL_DIGEST"][:12] in printed
