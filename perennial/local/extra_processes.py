"""The processes of extra components: made from their documents while the platform runs."""

import contextlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from contract.errors import InvalidRequest
from contract.log import log
from perennial.local.component import Component
from perennial.local.environment import MARK, inherited
from perennial.local.extra_components import ExtraComponent, is_startable, read_components
from perennial.local.home import Home
from perennial.local.run_as import as_user


class ExtraProcesses:
    """Finds the components that add-ons added to the platform."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stop_seconds: dict[str, float] = {}
        self._warned: set[tuple[str, str]] = set()

    @property
    def names(self) -> Collection[str]:
        """Of the components that `poll` has returned."""
        return self._stop_seconds.keys()

    @property
    def stop_seconds(self) -> float:
        """How long all of them may take to end."""
        return max(self._stop_seconds.values(), default=0)

    def poll(self, taken: Collection[str]) -> dict[str, Component]:
        """Return the components that are new, by name; `taken` are the names in use.

        A component that cannot be started is logged once, and tried again at the next call.
        """
        try:
            extras = read_components(self._home)
        except InvalidRequest as error:
            self._warn_once("components", str(error))
            return {}
        new: dict[str, Component] = {}
        for extra in extras:
            if extra.name in self._stop_seconds:
                continue
            if extra.name in taken:
                self._warn_once(extra.name, "the platform has a component of that name")
            elif not is_startable(extra):
                self._warn_once(extra.name, f"there is no program {extra.command[0]!r}")
            else:
                self._stop_seconds[extra.name] = extra.stop_seconds
                new[extra.name] = self._component(extra)
        return new

    def _component(self, extra: ExtraComponent) -> Component:
        component = Component(
            name=extra.name,
            command=[*as_user(extra.user), *extra.command],
            environment=inherited() | {MARK: str(self._home.folder)} | extra.environment,
            log=self._home.logs / f"{extra.name}.log",
            folder=extra.folder or self._home.folder,
        )
        if extra.run_when_changed:
            has_changed = changes(extra.run_when_changed)
            component.is_on_demand = True
            # One that failed is run again after its pause.
            component.may_start = lambda: has_changed() or bool(component.last_exit)
        return component

    def _warn_once(self, name: str, why: str) -> None:
        if (name, why) not in self._warned:
            self._warned.add((name, why))
            log("platform").warning("an extra component cannot be started", component=name, why=why)


def changes(paths: Sequence[Path]) -> Callable[[], bool]:
    """Return a function that tells whether one of `paths` changed since its last call.

    The first call returns True.
    """
    last: list[tuple[int, int] | None] = []

    def has_changed() -> bool:
        now = [_stamp(path) for path in paths]
        if now == last:
            return False
        last[:] = now
        return True

    return has_changed


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return time and size of a file or a folder; None where it is gone."""
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_size
    return None
