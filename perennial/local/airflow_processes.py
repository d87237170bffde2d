"""Airflow's three processes, forked from one interpreter, and the migration before them."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from contract.problem import problem_files
from contract.runtime.prefork.child import adopt_orphans
from perennial.local import processes
from perennial.local.component import Component
from perennial.local.home import Home
from perennial.local.prefork import ForkPlan

STOP_SECONDS = 15  # a stage that is at work is ended then, and run again later
PROGRAMS = {
    "api-server": ("api-server",),
    # Its log server would listen on every interface and has no setting for it.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
# What more than one of them imports: all of it from Airflow's own environment, so that one that is
# started again has the project's newest code.
SHARED = ("airflow", "airflow.api_fastapi.app")
DAG_FILES = (
    "model_lifecycle.py",
    "drift_monitoring.py",
    "owner_alerts.py",
    "problems_invalid.py",
)
READING_SECONDS = 2.0  # a reading of one of them takes 0.4 s on a quiet machine
CAN_ADOPT = sys.platform == "linux"


class Forked:
    """A child of this process that another one has forked; what is used of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._collect(os.WNOHANG)

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        code = self._collect(0)
        assert code is not None  # nothing else collects it
        return code

    def _collect(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Prefork:
    """Starts together, as forks of one interpreter, the components that are due at the same time."""

    def __init__(
        self, home: Home, environment: Mapping[str, str], imports: Sequence[str] = SHARED
    ) -> None:
        self._home = home
        self._environment = environment
        self._imports = imports
        self._due: dict[str, Component] = {}
        self._launcher: subprocess.Popen[bytes] | None = None
        self._launched: dict[str, Component] = {}
        self._started: dict[str, processes.Process] = {}

    def start(self, component: Component) -> processes.Process | None:
        """Return the component's process when it was forked; until then it is due."""
        if component.name not in self._started and component.name not in self._launched:
            self._due[component.name] = component
        return self._started.pop(component.name, None)

    def poll(self) -> None:
        """Begin to start what is due, or take over what was forked; never wait."""
        if self._launcher is None and self._due:
            self._launch()
        elif self._launcher is not None and self._launcher.poll() is not None:
            self._take_over(self._launcher)

    def stop(self) -> None:
        """End an interpreter that is about to fork, and what it has forked."""
        if self._launcher is not None:
            processes.stop([processes.ProcessRef.from_pid(self._launcher.pid)], None, STOP_SECONDS)

    def _launch(self) -> None:
        self._launched, self._due = self._due, {}
        for component in self._launched.values():
            os.close(processes.open_log(component.log))
        plan = ForkPlan(
            imports=list(self._imports),
            programs={
                name: {"arguments": list(component.command[2:]), "log": str(component.log)}
                for name, component in self._launched.items()
            },
        )
        adopt_orphans(adopt=True)
        self._launcher = subprocess.Popen(
            [str(self._home.airflow_python), "-m", "perennial.local.prefork", json.dumps(plan)],
            env=dict(self._environment),
            cwd=self._home.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def _take_over(self, launcher: subprocess.Popen[bytes]) -> None:
        adopt_orphans(adopt=False)
        output, _ = launcher.communicate()
        pids: dict[str, int] = json.loads(output) if launcher.returncode == 0 else {}
        for name in self._launched:
            # One that failed has its end seen as a component's own: started again after a pause.
            self._started[name] = Forked(pids[name]) if name in pids else launcher
        self._launcher, self._launched = None, {}


class DagRefresh:
    """Has the DAG processor read the DAGs at once when a problem came, went or was edited.

    It looks at the times of its files every second and reads those that have changed; each reading
    of all is 0.4 CPU-s, too much for doing it often without a reason.
    """

    def __init__(self, home: Home) -> None:
        self._dags = home.project / "dags"
        self._home = home
        self._stamps = self._read_stamps()

    def poll(self) -> None:
        """Look at the problems; where one has changed, give the files of the DAGs a new time."""
        stamps = self._read_stamps()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        # Ahead, as a reading that is under way has seen the problems as they were.
        then = time.time() + READING_SECONDS
        for name in DAG_FILES:
            with contextlib.suppress(OSError):  # another's files: they are read once an interval
                os.utime(self._dags / name, (then, then))

    def _read_stamps(self) -> dict[Path, tuple[int, int]]:
        stamps = {}
        for path in problem_files(*self._home.problem_folders).values():
            with contextlib.suppress(OSError):  # it went away meanwhile
                stat = path.stat()
                stamps[path] = (stat.st_mtime_ns, stat.st_size)
        return stamps


class Migration:
    """Airflow's database brought to the form of the installed Airflow, once a version."""

    def __init__(self, home: Home, environment: dict[str, str]) -> None:
        self._stamp = home.airflow / ".migrated"
        self._version = installed_airflow(home)
        database = home.airflow / "airflow.db"
        self.is_done = (
            database.exists() and self._stamp.exists() and self._stamp.read_text() == self._version
        )
        self._component = Component(
            name="airflow-migration",
            command=[str(home.airflow_python), "-m", "airflow", "db", "migrate"],
            environment=environment,
            log=home.logs / "airflow-migration.log",
            folder=home.project,
        )

    def poll(self) -> None:
        """Start the migration where it is due; write it down when it ended well."""
        if self.is_done:
            return
        self._component.poll()
        if self._component.last_exit == 0:
            self._stamp.write_text(self._version)
            self.is_done = True

    def stop(self) -> None:
        """End a migration that is at work."""
        if self._component.seen.process is not None:
            processes.stop([self._component.seen.process], None, STOP_SECONDS)


def installed_airflow(home: Home) -> str:
    """Return the version of Airflow in its environment, read from the name of its metadata."""
    metadata = home.airflow_python.parents[1].glob(
        "lib/python*/site-packages/apache_airflow_core-*.dist-info"
    )
    return ",".join(sorted(path.name for path in metadata))
