"""Which platform a command uses: `--on`, else $PERENNIAL_ON, else `config.yaml`, else this machine.

`config.yaml` is in the platform's home (`.perennial/` of the project, or $PERENNIAL_HOME) and
holds at most two keys: `on: kubernetes` and `context: NAME`.
"""

import os
from collections.abc import Mapping

import click

from contract.errors import InvalidRequest
from contract.problem.yaml import parse
from contract.strict import Strict
from perennial.console import KUBERNETES, LOCATIONS, MACHINE
from perennial.local.home import Home, find_home
from perennial.platform import PlatformLocation
from perennial.waits import current_waits

FILE = "config.yaml"


class LocationChoice(Strict):
    """The platform that the user chose."""

    on: str
    context: str | None
    """Of the kubeconfig; None: kubectl's current one."""


def choose(
    on: str | None, context: str | None, environment: Mapping[str, str], home: Home
) -> LocationChoice:
    """Return the location: an option takes precedence over the environment, and that over the file.

    Raises:
        InvalidRequest: the location is unknown, or the file holds something else.
    """
    settings = _read_settings(home)
    location = on or environment.get("PERENNIAL_ON") or settings.get("on") or MACHINE
    if location not in LOCATIONS:
        sentence = (
            f"The location {location!r} was found; one of {', '.join(LOCATIONS)} is expected."
        )
        raise InvalidRequest(sentence)
    kube_context = context or environment.get("PERENNIAL_CONTEXT") or settings.get("context")
    if context and location != KUBERNETES:
        sentence = f"--context {context!r} is for a cluster; add --on kubernetes."
        raise InvalidRequest(sentence)
    return LocationChoice(on=location, context=kube_context or None)


def resolve_location() -> PlatformLocation:
    """Return the location that the command line, the environment or the file names."""
    home = find_home()
    options = click.get_current_context().find_root().params
    waits = current_waits()
    choice = choose(options.get("on"), options.get("context"), os.environ, home)
    if choice.on == KUBERNETES:
        from perennial.kubernetes.cluster_location import ClusterLocation  # noqa: PLC0415 - one location a command

        return ClusterLocation(home, choice.context, waits)
    from perennial.local.machine_location import MachineLocation  # noqa: PLC0415 - as above

    return MachineLocation(home, waits)


def _read_settings(home: Home) -> dict[str, str]:
    file = home.folder / FILE
    if not file.exists():
        return {}
    document, _ = parse(file.read_text(encoding="utf-8"), str(file))
    is_known = isinstance(document, dict) and document.keys() <= {"on", "context"}
    if not is_known or not all(isinstance(value, str) for value in document.values()):
        sentence = (
            f"{str(file)!r} holds something else than the expected keys: `on: machine` or "
            "`on: kubernetes`, and `context: NAME`."
        )
        raise InvalidRequest(sentence)
    return dict(document)
