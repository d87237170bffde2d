"""Which place a command is about: `--on`, else $PERENNIAL_ON, else `config.yaml`, else this machine.

`config.yaml` stands in the platform's home (`.perennial/` of the project, or $PERENNIAL_HOME) and
holds two keys at most: `on: kubernetes` and `context: NAME`.
"""

import os
from collections.abc import Mapping

import click

from contract.errors import AskedWrongly
from contract.problem.yaml import parse
from contract.strict import Strict
from perennial.console import KUBERNETES, MACHINE, PLACES
from perennial.local.home import Home, find_home
from perennial.platform import PlatformLocation

FILE = "config.yaml"


class LocationChoice(Strict):
    """The place that is meant."""

    on: str
    context: str | None
    """Of the kubeconfig; None: kubectl's current one."""


def choose(
    on: str | None, context: str | None, environment: Mapping[str, str], home: Home
) -> LocationChoice:
    """Return the place: what is given comes before the environment, and that before the file.

    Raises:
        AskedWrongly: a place of that name is not known, or the file holds something else.
    """
    written = _written(home)
    where = on or environment.get("PERENNIAL_ON") or written.get("on") or MACHINE
    if where not in PLACES:
        sentence = f"The place {where!r} was found; one of {', '.join(PLACES)} is expected."
        raise AskedWrongly(sentence)
    named = context or environment.get("PERENNIAL_CONTEXT") or written.get("context")
    if context and where != KUBERNETES:
        sentence = f"--context {context!r} is for a cluster; say --on kubernetes as well."
        raise AskedWrongly(sentence)
    return LocationChoice(on=where, context=named or None)


def find_place() -> PlatformLocation:
    """Return the place that the command line, the environment or the file names."""
    home = find_home()
    given = click.get_current_context().find_root().params
    choice = choose(given.get("on"), given.get("context"), os.environ, home)
    if choice.on == KUBERNETES:
        from perennial.kubernetes.cluster_location import ClusterLocation  # noqa: PLC0415 - one place a command

        return ClusterLocation(home, choice.context)
    from perennial.local.machine_location import MachineLocation  # noqa: PLC0415 - as above

    return MachineLocation(home)


def _written(home: Home) -> dict[str, str]:
    file = home.folder / FILE
    if not file.exists():
        return {}
    found, _ = parse(file.read_text(encoding="utf-8"), str(file))
    is_known = isinstance(found, dict) and found.keys() <= {"on", "context"}
    if not is_known or not all(isinstance(value, str) for value in found.values()):
        sentence = (
            f"{str(file)!r} was found to hold something else; `on: machine` or `on: kubernetes`, "
            "and `context: NAME`, are expected."
        )
        raise AskedWrongly(sentence)
    return dict(found)
