"""`up` and `down`: one supervisor is started, or everything that it started is stopped.

A supervisor that was killed leaves its children running; the next `up` or `down` finds them by pid
and start time, and by the mark in their environment, and stops them first.
"""

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from contract.errors import InvalidRequest, TryAgain
from perennial.local import processes
from perennial.local import seaweedfs as seaweed
from perennial.local.credentials import make_credentials
from perennial.local.environment import (
    MARK,
    inherited,
    remember_environment,
    remembered_environment,
)
from perennial.local.extra_components import is_ready, is_startable, read_components
from perennial.local.home import Home
from perennial.local.http_probe import probe
from perennial.local.ports import PLATFORM_PORTS, keep_ports, refuse_taken_ports
from perennial.local.processes import ProcessRef
from perennial.local.state import read_state
from perennial.waits import USUAL

SUPERVISOR_STOP_SECONDS = 90  # longer than the longest stop of its children
POLL_SECONDS = 0.2
AIRFLOW_PARTS = ("metadatabase", "scheduler", "dag_processor")

Report = Callable[[str], None]
"""Called with what is waited for, whenever that changes."""


def up(home: Home, report: Report, ready_seconds: float = USUAL.machine_ready) -> float:
    """Start the platform and wait until every component is ready; return the seconds that it took.

    A platform that is up already is only waited for; `ready_seconds` is the limit of the wait.

    Raises:
        InvalidRequest: a port is taken, or an environment is not installed.
        TryAgain: something did not become ready; the sentence names it and its log.
    """
    began = time.monotonic()
    _refuse_missing_environments(home)
    home.prepare()
    with _locked(home):
        state = read_state(home)
        if state is None or not state.is_up:
            _stop_orphans(home, report)
            make_credentials(home)
            ports = keep_ports(home.ports, PLATFORM_PORTS)
            refuse_taken_ports({name: ports[name] for name in PLATFORM_PORTS}, home.ports)
            remember_environment(home)
            supervisor = _start_supervisor(home)
        else:
            supervisor = state.supervisor
        _wait(home, supervisor, report, ready_seconds)
    return time.monotonic() - began


def down(home: Home, report: Report) -> int:
    """Stop the platform and keep its data; return how many processes there were.

    Raises:
        TryAgain: a process did not end.
    """
    if not home.folder.exists():
        return 0
    with _locked(home):
        count = len(processes.by_marker(home.folder))
        state = read_state(home)
        if state is not None and state.is_up:
            report("the services, Airflow and the store")
            processes.stop([state.supervisor], None, SUPERVISOR_STOP_SECONDS)
        _stop_orphans(home, report)
        left = processes.by_marker(home.folder)
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            raise TryAgain(f"These processes did not end: {pids}; run `perennial down` again.")
        return count


def missing(home: Home) -> str | None:
    """Return in words what is not ready yet; None when everything is."""
    ports = keep_ports(home.ports, PLATFORM_PORTS)
    if not seaweed.is_ready(ports):
        return "the store"
    for component in read_components(home):
        if is_startable(component) and not is_ready(component):
            return f"the component {component.name}"
    health = _airflow_health(ports["airflow"])
    if health is None:
        migrated = (home.airflow / ".migrated").exists()
        return "Airflow's API server" if migrated else "Airflow's database"
    for part in AIRFLOW_PARTS:
        if health.get(part) != "healthy":
            return f"Airflow's {part.replace('_', ' ')}"
    return None


def _refuse_missing_environments(home: Home) -> None:
    for python in (home.python, home.airflow_python):
        if not python.exists():
            sentence = f"There is no interpreter {str(python)!r}; run `make up`, which installs it."
            raise InvalidRequest(sentence)


@contextlib.contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Hold the platform's lock: of two `up` or `down` at once, one waits for the other."""
    with home.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start_supervisor(home: Home) -> ProcessRef:
    environment = inherited() | remembered_environment(home)
    environment |= {
        "PERENNIAL_HOME": str(home.folder),
        "PERENNIAL_PATH": str(home.project),
        "PERENNIAL_PROBLEMS": home.problem_path,
        "PYTHONPATH": str(home.project),
        MARK: str(home.folder),
    }
    command = [str(home.python), "-m", "perennial.local.supervisor"]
    process = processes.start(command, environment, home.logs / "supervisor.log", home.project)
    # It outlives this process on purpose; a Popen that is collected while it runs would warn of that.
    process.returncode = 0
    return processes.ProcessRef.from_pid(process.pid)


def _stop_orphans(home: Home, report: Report) -> None:
    """Stop what a killed supervisor left: the components of its state, and all marked processes."""
    state = read_state(home)
    alive = [] if state is None else [one for one in state.processes if processes.is_alive(one)]
    if alive or processes.by_marker(home.folder):
        report("processes that a platform left behind")
        processes.stop(alive, home.folder, seaweed.STOP_SECONDS)


def _wait(home: Home, supervisor: ProcessRef, report: Report, ready_seconds: float) -> None:
    deadline = time.monotonic() + ready_seconds
    reported = None
    while True:
        waiting_for = missing(home)
        # Checked last: the components of a supervisor that was killed go on answering.
        if not processes.is_alive(supervisor):
            log = home.logs / "supervisor.log"
            raise TryAgain(f"The platform's supervisor ended; {str(log)!r} says why.")
        if waiting_for is None:
            return
        if waiting_for != reported:
            report(waiting_for)
            reported = waiting_for
        if time.monotonic() > deadline:
            sentence = (
                f"{waiting_for[0].upper()}{waiting_for[1:]} is not ready after {ready_seconds:g} s; "
                f"{_last_problem(home)}run `perennial down`, then `perennial up`."
            )
            raise TryAgain(sentence)
        time.sleep(POLL_SECONDS)


def _last_problem(home: Home) -> str:
    state = read_state(home)
    for name, component in ({} if state is None else state.components).items():
        if component.problem:
            return f"{name} {component.problem}; "
    return f"the logs are in {str(home.logs)!r}; "


def _airflow_health(port: int) -> dict[str, str] | None:
    """Return the state of Airflow's components; None while its API server does not answer."""
    response = probe(port, "/api/v2/monitor/health")
    if response is None or response[0] != HTTPStatus.OK:
        return None
    try:
        entries = json.loads(response[1])
    except ValueError:
        return None
    return {str(name): str((entry or {}).get("status")) for name, entry in entries.items()}
