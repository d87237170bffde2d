"""Components of the platform that an add-on describes by data: a database, a message queue.

Each is a document `components/NAME.json` in the platform's folder. The supervisor finds a new one
within a second; it starts the component, restarts it when it ends, and stops it together with the
store, after everything that may use it.
"""

import shutil
import socket
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from contract.errors import InvalidRequest
from contract.strict import Strict
from perennial.local.home import FOLDER_MODE, Home, write_private
from perennial.local.ports import LOOPBACK

PROBE_SECONDS = 1

ComponentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class ReadinessProbe(Strict):
    """When a component is ready: `port` takes connections, and `file` has the line `line`."""

    port: Annotated[int, Field(ge=1, le=65_535)]
    """On loopback."""
    file: Path | None = None
    """None: the port alone decides."""
    line: str = ""
    """Without the spaces around it."""


class ExtraComponent(Strict):
    """One process beside the platform's own."""

    name: ComponentName
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    environment: dict[str, str] = Field(default_factory=dict)
    """Added to the few variables that every component inherits."""
    folder: Path | None = None
    """Where it is started; None: the platform's folder."""
    user: str | None = None
    """Whom it runs as where the platform is root's; None: as the platform."""
    variables: dict[str, str] = Field(default_factory=dict)
    """What problems may mention of it, such as a connection string: kept for their sources."""
    readiness: ReadinessProbe | None = None
    """None: `perennial up` does not wait for it."""
    stop_seconds: Annotated[float, Field(gt=0)] = 10
    """How long it may take to end after a SIGTERM."""
    run_when_changed: tuple[Path, ...] = ()
    """Not empty: it is a short program, run once at the start and whenever one of these changed."""


def write_component(home: Home, component: ExtraComponent) -> None:
    """Add the component to the platform; its document is readable by its owner alone."""
    home.components.mkdir(mode=FOLDER_MODE, exist_ok=True)
    write_private(_file(home, component.name), component.model_dump_json(indent=1) + "\n")


def remove_component(home: Home, name: str) -> None:
    """Remove the component's document; a process that runs goes on until the platform goes down."""
    _file(home, name).unlink(missing_ok=True)


def read_components(home: Home) -> list[ExtraComponent]:
    """Return the components that were added to the platform, sorted by name.

    Raises:
        InvalidRequest: a document is damaged, or names another component than its file.
    """
    return [_read(file) for file in sorted(home.components.glob("*.json"))]


def component_variables(home: Home) -> dict[str, str]:
    """Return the variables of all components."""
    return {
        name: value
        for component in read_components(home)
        for name, value in component.variables.items()
    }


def is_startable(component: ExtraComponent) -> bool:
    """Tell whether the component's program is there."""
    return shutil.which(component.command[0]) is not None


def is_ready(component: ExtraComponent) -> bool:
    """Tell whether the component is ready, or nobody has to wait for it."""
    probe = component.readiness
    if probe is None:
        return True
    try:
        if probe.file is not None:
            lines = probe.file.read_text(encoding="utf-8").splitlines()
            if probe.line not in (line.strip() for line in lines):
                return False
        with socket.create_connection((LOOPBACK, probe.port), timeout=PROBE_SECONDS):
            return True
    except OSError:
        return False


def _file(home: Home, name: str) -> Path:
    return home.components / f"{name}.json"


def _read(file: Path) -> ExtraComponent:
    try:
        component = ExtraComponent.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        why = str(error).replace("\n", " ")
        sentence = f"{str(file)!r} does not describe a component ({why}); correct it or remove it."
        raise InvalidRequest(sentence) from error
    if component.name != file.stem:
        sentence = f"{str(file)!r} holds the name {component.name!r}; give the file that name."
        raise InvalidRequest(sentence)
    return component
