"""What runs now, as the supervisor writes it and every command reads it."""

import json
from dataclasses import asdict, dataclass, field

from perennial.local.home import Home, write_private
from perennial.local.processes import ProcessRef, is_alive


@dataclass
class ComponentState:
    """One process of the platform."""

    state: str
    """waiting, preparing, running, restarting, stopped."""
    process: ProcessRef | None = None
    restarts: int = 0
    problem: str = ""
    """The last fault, one sentence."""


@dataclass
class PlatformState:
    """The supervisor and its components."""

    supervisor: ProcessRef
    components: dict[str, ComponentState] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Whether the supervisor lives."""
        return is_alive(self.supervisor)

    @property
    def processes(self) -> list[ProcessRef]:
        """The components that were running when this was written."""
        processes = (component.process for component in self.components.values())
        return [process for process in processes if process is not None]


def write_state(home: Home, state: PlatformState) -> None:
    """Replace the written state in one step."""
    write_private(home.state, json.dumps(asdict(state), indent=1, sort_keys=True) + "\n")


def read_state(home: Home) -> PlatformState | None:
    """Return the written state; None where the platform never ran, or the file is damaged.

    A damaged file is no error: processes are found by their mark as well.
    """
    try:
        document = json.loads(home.state.read_text(encoding="utf-8"))
        components = {
            name: ComponentState(**(entry | {"process": _reference(entry["process"])}))
            for name, entry in document["components"].items()
        }
        return PlatformState(supervisor=ProcessRef(**document["supervisor"]), components=components)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _reference(entry: dict[str, object] | None) -> ProcessRef | None:
    return (
        None if entry is None else ProcessRef(pid=int(str(entry["pid"])), began=str(entry["began"]))
    )
