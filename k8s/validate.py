"""Render every overlay, and one with all options, and hold each object to the schema of Kubernetes: `python k8s/validate.py`.

Offline: the schemas are a package's. Kinds that Kubernetes itself does not know (of the Gateway API
and of the Prometheus operator) have none and are counted.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

HERE = Path(__file__).resolve().parent
OVERLAYS = HERE / "overlays"
OPTIONS = (
    "autoscaling",
    "canary-gateway",
    "database-sources",
    "ingress",
    "metrics",
    "private-authority",
)
VERSION = "1.34"
FOREIGN = ("gateway.networking.k8s.io/", "monitoring.coreos.com/")


def main() -> int:
    """Print one line for each fault, and a sum; return 1 where there is a fault."""
    checked, foreign, faults = 0, 0, []
    for name, manifest in objects():
        if str(manifest["apiVersion"]).startswith(FOREIGN):
            foreign += 1
            continue
        checked += 1
        message = fault(manifest)
        if message is not None:
            faults.append(f"{name}: {manifest['kind']} {manifest['metadata']['name']}: {message}")
    sys.stdout.write("".join(f"{line}\n" for line in faults))
    sys.stdout.write(f"{checked} objects, {foreign} of foreign kinds, {len(faults)} faults\n")
    return 1 if faults else 0


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object with the name of the overlay that it comes from."""
    for overlay in sorted(path.parent for path in OVERLAYS.glob("*/kustomization.yaml")):
        for manifest in render(overlay):
            yield overlay.name, manifest
    # kustomize takes no path from outside its folder.
    with tempfile.TemporaryDirectory(dir=OVERLAYS, prefix="options-") as name:
        components = [f"../../components/{option}" for option in OPTIONS]
        kustomization = {"resources": ["../quickstart"], "components": components}
        (Path(name) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        for manifest in render(Path(name)):
            yield "options", manifest


def render(overlay: Path) -> list[dict[str, Any]]:
    """Return the objects of an overlay."""
    kubectl = Path(sys.executable).parent / "kubectl"
    command = [kubectl, "kustomize", overlay]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def fault(manifest: dict[str, Any]) -> str | None:
    """Return what is wrong with an object; None: nothing."""
    try:
        kubernetes_validate.validate(manifest, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    return None


if __name__ == "__main__":
    sys.exit(main())
