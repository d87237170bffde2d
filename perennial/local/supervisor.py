"""The one process that keeps the platform alive: `python -m perennial.local.supervisor`.

It starts the store, Airflow's three processes, a service for each problem that has a rollout, the
components of add-ons, and the warm interpreter when a stage is requested; and restarts what
ended. It holds no S3 client and no data library: it lives as long as the platform and its memory
counts.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from contract.errors import PerennialError
from contract.log import configure, log
from contract.problem import problem_files
from contract.store.layout import rollout_key
from perennial.local import airflow_processes as airflow
from perennial.local import processes
from perennial.local import seaweedfs as seaweed
from perennial.local.component import Component
from perennial.local.credentials import read_credentials, store_identities
from perennial.local.environment import (
    MARK,
    airflow_environment,
    inherited,
    service_environment,
)
from perennial.local.extra_processes import ExtraProcesses
from perennial.local.home import Home, find_home
from perennial.local.ports import keep_ports, read_ports, service_port
from perennial.local.stage_server import WARM, ForkListener
from perennial.local.state import PlatformState, write_state

BEAT_SECONDS = 0.25
LOOK_EVERY = 4  # beats: for rollouts, extra components, and edited problems
# Soft: nothing fails at it. A tighter one (256 MiB) idled at 64-115 MB, but kept the collector at
# work at up to 39 % of a core after half a year of daily data.
STORE_MEMORY = "384MiB"
WARM_STOP_SECONDS = 5  # Airflow has ended every stage by then
SERVICE_STOP_SECONDS = 40  # it finishes open requests and ships its log
STORE = "store"


class Supervisor:
    """The platform's components and the loop that polls them."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._credentials = read_credentials(home)
        self._ports = read_ports(home.ports)
        self._airflow = airflow_environment(home, self._ports, self._credentials)
        self._is_store_ready = False
        self._extra = ExtraProcesses(home)
        self._migration = airflow.Migration(home, self._airflow)
        self._prefork = airflow.Prefork(home, self._airflow)
        self._dag_refresh = airflow.DagRefresh(home)
        seaweed.configure(home.data)
        store = Component(
            name=STORE,
            command=seaweed.command(home.data, store_identities(home), self._ports),
            environment=inherited()
            | seaweed.server_environment(STORE_MEMORY, self._credentials.store_admin_password)
            | {MARK: str(home.folder)},
            log=home.logs / "store.log",
            folder=home.folder,
        )
        self.components = {STORE: store} | {
            name: self._airflow_component(name, arguments)
            for name, arguments in airflow.PROGRAMS.items()
        }
        self._fork_listener = ForkListener.open(home)
        if self._fork_listener is not None:
            self.components[WARM] = self._fork_listener.component(home)
        self._state = PlatformState(supervisor=processes.ProcessRef.from_pid(os.getpid()))

    def run(self, end: threading.Event) -> None:
        """Poll everything until `end` is set, then stop it."""
        beat = 0
        self._write()
        while not end.wait(BEAT_SECONDS):
            if self._beat(beat):
                self._write()
            beat += 1
        self._stop()

    def _beat(self, beat: int) -> bool:
        changed = [component.poll() for component in list(self.components.values())]
        self._migration.poll()
        self._prefork.poll()
        if self._fork_listener is not None and self.components[WARM].seen.state == "restarting":
            self._fork_listener.reject_pending()
        if not self._is_store_ready and seaweed.is_ready(self._ports):
            self._is_store_ready = True
            self._make_durable_once()
        if beat % LOOK_EVERY == 0:
            self._dag_refresh.poll()
            changed.append(self._look_for_extra_components())
            if self._is_store_ready:
                changed.append(self._look_for_rollouts())
        return any(changed)

    def _look_for_rollouts(self) -> bool:
        """Add a service for each problem that has a rollout and no service; tell whether there was one."""
        new = [
            name
            for name in problem_files(*self._home.problem_folders)
            if service_port(name) not in self.components
            and seaweed.has(self._ports, rollout_key(name))
        ]
        for problem in new:
            self.components[service_port(problem)] = self._service_component(problem)
        return bool(new)

    def _look_for_extra_components(self) -> bool:
        """Add the components that are new since the last look; tell whether there was one."""
        new = self._extra.poll(self.components.keys())
        self.components |= new
        return bool(new)

    def _airflow_component(self, name: str, arguments: tuple[str, ...]) -> Component:
        return Component(
            name=name,
            command=[str(self._home.airflow_python), "-m", "airflow", *arguments],
            environment=self._airflow,
            log=self._home.logs / f"{name}.log",
            folder=self._home.project,
            may_start=lambda: self._migration.is_done,
            starter=self._prefork.start if airflow.CAN_ADOPT else None,
        )

    def _service_component(self, problem: str) -> Component:
        name = service_port(problem)
        ports = keep_ports(self._home.ports, [name])
        arguments = ["-m", "serving", problem, "--port", str(ports[name])]
        return Component(
            name=name,
            command=[str(self._home.python), *arguments],
            environment=service_environment(self._home, ports, self._credentials),
            log=self._home.logs / f"{name}.log",
            folder=self._home.project,
        )

    def _make_durable_once(self) -> None:
        stamp = self._home.data / ".durable"
        if stamp.exists():
            return
        try:
            seaweed.make_durable(self._ports)
        except (PerennialError, subprocess.TimeoutExpired) as error:
            log("platform").warning("store is not durable against a loss of power", why=str(error))
        else:
            stamp.touch()

    def _write(self) -> None:
        for name, component in self.components.items():
            self._state.components[name] = component.seen
        write_state(self._home, self._state)

    def _stop(self) -> None:
        """Stop services and Airflow first: they write to the store until they end."""
        self._migration.stop()
        self._prefork.stop()
        last = {STORE, *self._extra.names}  # what the others write to
        for names, seconds in (
            (
                self.components.keys() - airflow.PROGRAMS.keys() - last - {WARM},
                SERVICE_STOP_SECONDS,
            ),
            (airflow.PROGRAMS.keys(), airflow.STOP_SECONDS),
            (self.components.keys() & {WARM}, WARM_STOP_SECONDS),
            (last, max(seaweed.STOP_SECONDS, self._extra.stop_seconds)),
        ):
            running = (self.components[name].seen.process for name in names)
            processes.stop([process for process in running if process], None, seconds)
        seaweed.remove_sockets(self._ports)
        for component in self.components.values():
            component.seen.state, component.seen.process = "stopped", None
        self._write()
        log("platform").info("stopped")


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    configure()
    end = threading.Event()

    def finish(_number: int, _frame: FrameType | None) -> None:
        end.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    Supervisor(find_home()).run(end)
    return 0


if __name__ == "__main__":
    sys.exit(main())
