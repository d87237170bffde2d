import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from perennial.local import processes
from perennial.local.environment import MARK
from perennial.local.processes import ProcessRef

SHELL = {"PATH": os.environ["PATH"]}
STARTED: list[subprocess.Popen[bytes]] = []
FAMILY = ("sh", "-c", "sleep 600 & echo $!; wait")
STUBBORN = ("sh", "-c", "trap '' TERM; echo up; sleep 600")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """The mark of a platform of the test's own; whatever carries it is gone afterwards."""
    yield tmp_path
    for process in processes.by_marker(tmp_path):
        with contextlib.suppress(psutil.Error):
            process.kill()
    while STARTED:
        STARTED.pop().wait()


def _start(mark: Path, *command: str) -> subprocess.Popen[bytes]:
    process = processes.start(command, SHELL | {MARK: str(mark)}, mark / "log", mark)
    STARTED.append(process)
    return process


def test_a_known_process_is_alive_until_it_ends(mark: Path) -> None:
    process = _start(mark, "sleep", "600")
    known = processes.ProcessRef.from_pid(process.pid)

    assert processes.is_alive(known)
    process.kill()
    process.wait()
    assert not processes.is_alive(known)


def test_a_process_that_ended_and_was_not_collected_is_not_alive(mark: Path) -> None:
    process = _start(mark, "true")
    known = processes.ProcessRef.from_pid(process.pid)

    wait_until(
        lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, "the process ends"
    )

    assert not processes.is_alive(known)
    process.wait()


def test_a_pid_that_was_given_to_another_program_is_not_hit(mark: Path) -> None:
    stranger = _start(mark, "sleep", "600")
    ours = ProcessRef(pid=stranger.pid, began="another boot:1")

    assert not processes.is_alive(ours)
    assert processes.stop([ours], None, 1) == 0
    assert stranger.poll() is None


def test_stop_ends_the_children_of_a_leader(mark: Path) -> None:
    leader = _start(mark, *FAMILY)
    wait_until(lambda: (mark / "log").read_text().endswith("\n"), "the process is up")
    child = processes.ProcessRef.from_pid(int((mark / "log").read_text()))

    processes.stop([processes.ProcessRef.from_pid(leader.pid)], None, 1)

    assert not processes.is_alive(child)


def test_stop_kills_who_does_not_listen(mark: Path) -> None:
    process = _start(mark, *STUBBORN)
    wait_until(lambda: (mark / "log").read_text().endswith("\n"), "the process is up")

    known = processes.ProcessRef.from_pid(process.pid)

    processes.stop([known], None, 0.1, kill_after_seconds=0.2)

    assert not processes.is_alive(known)


def test_an_orphan_is_found_by_its_mark(mark: Path) -> None:
    leader = _start(mark, *FAMILY)
    wait_until(lambda: (mark / "log").read_text().endswith("\n"), "the process is up")
    child = int((mark / "log").read_text())
    leader.kill()
    leader.wait()

    assert [process.pid for process in processes.by_marker(mark)] == [child]
    assert processes.stop([], mark, 1) == 1
    assert processes.by_marker(mark) == []


def test_another_platforms_processes_are_left_alone(mark: Path) -> None:
    process = _start(mark, "sleep", "600")

    assert processes.stop([], mark / "another", 0.1) == 0
    assert process.poll() is None


def test_what_a_killed_leader_left_in_its_group_ends_with_it(mark: Path) -> None:
    leader = _start(mark, *FAMILY)
    wait_until(lambda: (mark / "log").read_text().endswith("\n"), "the process is up")
    child = processes.ProcessRef.from_pid(int((mark / "log").read_text()))
    os.kill(leader.pid, signal.SIGKILL)

    wait_until(lambda: processes.has_ended(leader), "the leader ends")

    wait_until(lambda: not processes.is_alive(child), "the child ends")
    assert leader.returncode == -signal.SIGKILL


def test_a_log_that_is_long_begins_anew(mark: Path) -> None:
    log = mark / "part.log"
    log.write_text("before")

    processes.start(["true"], SHELL, log, mark, max_log_bytes=3).wait()

    assert log.read_text() == ""
    assert (mark / "part.1.log").read_text() == "before"
