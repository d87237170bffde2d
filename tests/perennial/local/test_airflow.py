"""Airflow's processes as forks of one interpreter, and the DAGs that are read when problems change."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from perennial.local import airflow_processes as airflow
from perennial.local import processes
from perennial.local.airflow_processes import DagRefresh, Prefork
from perennial.local.component import Component
from perennial.local.home import Home

pytestmark = pytest.mark.skipif(not airflow.CAN_ADOPT, reason="subreapers are Linux's")

PROGRAM = """
import os, sys, time
print(os.getpgrp(), *sys.argv[1:], flush=True)
time.sleep(600)
"""


@pytest.fixture
def prefork(home: Home, tmp_path: Path) -> Prefork:
    """Programs of the test's own, in Airflow's environment."""
    (tmp_path / "shared.py").write_text("print('imported')\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    here = Path(airflow.__file__).parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{here}"}
    return Prefork(replace(home, project=here), environment, ("json", "shared"))


@pytest.fixture
def make(prefork: Prefork, tmp_path: Path) -> Iterator[Callable[[str], Component]]:
    made: list[Component] = []

    def build(name: str) -> Component:
        component = Component(
            name=name,
            command=["python", "-m", "program", name],
            environment={},
            log=tmp_path / f"{name}.log",
            folder=tmp_path,
            starter=prefork.start,
            now=lambda: 50 * time.monotonic(),  # the pause before it is started again is over soon
        )
        made.append(component)
        return component

    yield build
    prefork.stop()
    processes.stop([one.seen.process for one in made if one.seen.process], None, 5)


def _tend(prefork: Prefork, *components: Component, until: str) -> None:
    def are_there() -> bool:
        if {component.seen.state for component in components} == {until}:
            return True
        for component in components:
            component.poll()
        prefork.poll()
        return False

    wait_until(are_there, f"every component is {until}")


def _said(component: Component) -> list[str]:
    wait_until(lambda: component.log.read_text().endswith("\n"), "the program says what it is")
    return component.log.read_text().split()


def test_each_fork_is_a_child_of_ours_in_a_group_of_its_own(
    prefork: Prefork, make: Callable[[str], Component]
) -> None:
    parts = make("scheduler"), make("dag-processor")

    _tend(prefork, *parts, until="running")

    pids = [part.seen.process.pid for part in parts if part.seen.process]
    assert [psutil.Process(pid).ppid() for pid in pids] == [os.getpid()] * 2
    assert [_said(part) for part in parts] == [
        [str(pid), part.name] for part, pid in zip(parts, pids, strict=True)
    ]


def test_one_that_was_killed_is_forked_again_and_the_other_goes_on(
    prefork: Prefork, make: Callable[[str], Component]
) -> None:
    killed, other = make("scheduler"), make("dag-processor")
    _tend(prefork, killed, other, until="running")
    assert killed.seen.process is not None
    first, before = killed.seen.process, other.seen.process

    os.kill(first.pid, signal.SIGKILL)
    _tend(prefork, killed, until="restarting")
    _tend(prefork, killed, until="running")

    assert killed.seen.problem.startswith("ended with exit code -9 ")
    assert killed.seen.process != first
    assert other.seen.process == before


def test_an_import_that_fails_is_said_in_the_log_of_each(
    prefork: Prefork, make: Callable[[str], Component], tmp_path: Path
) -> None:
    (tmp_path / "shared.py").write_text("raise ImportError('nothing to share')\n")
    parts = make("scheduler"), make("dag-processor")

    _tend(prefork, *parts, until="restarting")

    assert [part.seen.problem.split(" after ")[0] for part in parts] == [
        "ended with exit code 1"
    ] * 2
    for part in parts:
        assert "nothing to share" in part.log.read_text()


def test_an_interpreter_that_is_about_to_fork_is_ended(
    prefork: Prefork, make: Callable[[str], Component], tmp_path: Path
) -> None:
    (tmp_path / "shared.py").write_text("import time; time.sleep(600)\n")
    part = make("scheduler")
    part.poll()
    prefork.poll()

    prefork.stop()
    _tend(prefork, part, until="restarting")

    assert part.seen.problem.startswith("ended with exit code -15 ")


@pytest.fixture
def refresh(home: Home, tmp_path: Path) -> DagRefresh:
    found = replace(home, project=tmp_path / "project", problems=tmp_path / "problems")
    (found.problems / "wine").mkdir(parents=True)
    (found.problems / "wine" / "problem.yaml").write_text("name: wine\n")
    (found.project / "dags").mkdir(parents=True)
    for name in airflow.DAG_FILES:
        (found.project / "dags" / name).touch()
        os.utime(found.project / "dags" / name, (1, 1))
    return DagRefresh(found)


def _times(tmp_path: Path) -> list[float]:
    return [path.stat().st_mtime for path in (tmp_path / "project" / "dags").iterdir()]


def test_dags_are_left_alone_while_no_problem_changes(refresh: DagRefresh, tmp_path: Path) -> None:
    refresh.poll()

    assert set(_times(tmp_path)) == {1.0}


def _edit(problems: Path) -> None:
    (problems / "wine" / "problem.yaml").write_text("name: wine\nquestion: How good?\n")


def _add(problems: Path) -> None:
    (problems / "hotel").mkdir()
    (problems / "hotel" / "problem.yaml").write_text("name: hotel\n")


def _remove(problems: Path) -> None:
    (problems / "wine" / "problem.yaml").unlink()


@pytest.mark.parametrize("change", [_edit, _add, _remove])
def test_dags_are_read_again_when_a_problem_changes(
    refresh: DagRefresh, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    change(tmp_path / "problems")
    refresh.poll()

    # Later than any reading that is under way can end.
    assert min(_times(tmp_path)) > time.time()


def test_dags_of_somebody_else_are_left_to_the_interval(
    refresh: DagRefresh, tmp_path: Path
) -> None:
    for path in (tmp_path / "project" / "dags").iterdir():
        path.unlink()
    _edit(tmp_path / "problems")

    refresh.poll()

    assert _times(tmp_path) == []


def test_every_file_that_makes_dags_is_known() -> None:
    listed = (Path(__file__).parents[3] / "dags" / ".airflowignore").read_text().splitlines()

    assert set(airflow.DAG_FILES) == {line[1:] for line in listed if line.startswith("!")}
