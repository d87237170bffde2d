"""What runs now, as the supervisor writes it and every command reads it."""

import json
from dataclasses import asdict, dataclass, field

from perennial.local.home import Home, write_private
from perennial.local.processes import Known, is_alive


@dataclass
class ComponentState:
    """One process of the platform."""

    state: str
    """waiting, preparing, running, restarting, stopped."""
    process: Known | None = None
    restarts: int = 0
    problem: str = ""
    """The last thing that went wrong, one sentence."""


@dataclass
class PlatformState:
    """The supervisor and its components."""

    supervisor: Known
    components: dict[str, ComponentState] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Whether the supervisor lives."""
        return is_alive(self.supervisor)

    @property
    def processes(self) -> list[Known]:
        """The components that were running when this was written."""
        found = (component.process for component in self.components.values())
        return [process for process in found if process is not None]


def write_state(home: Home, state: PlatformState) -> None:
    """Replace the written state in one step."""
    write_private(home.state, json.dumps(asdict(state), indent=1, sort_keys=True) + "\n")


def read_state(home: Home) -> PlatformState | None:
    """Return the written state; None where the platform never ran, or the file is damaged.

    A damaged file is no error: what runs is found by its mark as well.
    """
    try:
        found = json.loads(home.state.read_text(encoding="utf-8"))
        components = {
            name: ComponentState(**(entry | {"process": _known(entry["process"])}))
            for name, entry in found["components"].items()
        }
        return PlatformState(supervisor=Known(**found["supervisor"]), components=components)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _known(entry: dict[str, object] | None) -> Known | None:
    return None if entry is None else Known(pid=int(str(entry["pid"])), began=str(entry["began"]))
