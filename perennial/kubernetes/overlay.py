"""Overlays of the manifests, as `up` applies them, and the problems that they name.

A problem's own manifests are written where they are missing: one line in an overlay adds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from contract.errors import InvalidRequest
from perennial.kubernetes.kubectl import Kubectl, Resource
from perennial.local.home import Home
from perennial.problems.find import FILE
from perennial.problems.kustomize import is_added, write_kustomizations

QUICKSTART = "quickstart"
KUSTOMIZATION = "kustomization.yaml"
RENDER_SECONDS = 60.0


@dataclass(frozen=True)
class RenderedOverlay:
    """An overlay as kubectl renders it."""

    folder: Path
    text: str
    resources: tuple[Resource, ...]
    problems: tuple[Path, ...]
    """The folders of the problems that it names."""

    def of_kind(self, kind: str) -> list[Resource]:
        """Return its resources of a kind."""
        return [resource for resource in self.resources if resource["kind"] == kind]

    @property
    def images(self) -> frozenset[str]:
        """The images that its pods name."""
        templates = (r.get("spec", {}).get("template", {}) for r in self.resources)
        return frozenset(
            container["image"]
            for template in templates
            for kind in ("containers", "initContainers")
            for container in template.get("spec", {}).get(kind, [])
        )


def find_overlay(home: Home, name: str) -> Path:
    """Return the folder that `name` means: one of k8s/overlays, or a path.

    Raises:
        InvalidRequest: there is no such overlay.
    """
    overlays = home.project / "k8s" / "overlays"
    for folder in (overlays / name, Path(name).absolute()):
        if (folder / KUSTOMIZATION).is_file():
            return folder
    known = sorted(file.parent.name for file in overlays.glob(f"*/{KUSTOMIZATION}"))
    sentence = (
        f"There is no overlay {name!r}; known are: {', '.join(known) or 'none'}; "
        f"a folder with a {KUSTOMIZATION} is one too."
    )
    raise InvalidRequest(sentence)


def render(kubectl: Kubectl, folder: Path) -> RenderedOverlay:
    """Render an overlay; write the manifests of its problems where they are missing.

    Raises:
        InvalidRequest: it cannot be rendered.
    """
    problems = tuple(sorted(set(_problems(folder))))
    for problem in problems:
        if not is_added(problem):
            write_kustomizations(problem)
    text = kubectl("kustomize", str(folder), seconds=RENDER_SECONDS)
    resources = tuple(resource for resource in yaml.safe_load_all(text) if resource)
    return RenderedOverlay(folder, text, resources, problems)


def _problems(folder: Path) -> Iterator[Path]:
    """Yield the folders of problems that a kustomization names, directly or through its bases."""
    document = yaml.safe_load((folder / KUSTOMIZATION).read_text(encoding="utf-8")) or {}
    for name in [*document.get("resources", []), *document.get("components", [])]:
        path = (folder / name).resolve()
        if (path / FILE).is_file():
            yield path
        elif (path / KUSTOMIZATION).is_file():
            yield from _problems(path)
