import contextlib
import dataclasses
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from listening import addresses_of
from waiting import wait_until

from contract.errors import InvalidRequest, TryAgain
from perennial.local import lifecycle, processes
from perennial.local.environment import MARK
from perennial.local.home import Home
from perennial.local.ports import PLATFORM_PORTS, keep_ports
from perennial.local.processes import ProcessRef
from perennial.local.state import ComponentState, PlatformState, write_state


def _silent(_: str) -> None:
    """Report to nobody."""


@pytest.fixture
def left_behind(home: Home) -> Iterator[ProcessRef]:
    """A component of a platform whose supervisor was killed."""
    shell = {"PATH": os.environ["PATH"], MARK: str(home.folder)}
    process = processes.start(["sleep", "600"], shell, home.logs / "part.log", home.folder)
    known = processes.ProcessRef.from_pid(process.pid)
    state = PlatformState(
        supervisor=ProcessRef(pid=process.pid, began="another"),
        components={"store": ComponentState("running", known)},
    )
    write_state(home, state)
    yield known
    process.kill()
    process.wait()


def test_down_stops_what_a_killed_supervisor_left(home: Home, left_behind: ProcessRef) -> None:
    told: list[str] = []

    assert lifecycle.down(home, told.append) == 1

    assert not processes.is_alive(left_behind)
    assert told == ["processes that a platform left behind"]


def test_a_platform_that_does_not_become_ready_is_given_up_and_named(
    home: Home, left_behind: ProcessRef
) -> None:
    """Its supervisor lives, and nothing else."""
    write_state(home, PlatformState(supervisor=left_behind, components={}))
    reported: list[str] = []

    with pytest.raises(TryAgain, match=r"^The store is not ready after 0 s; the logs are in "):
        lifecycle.up(home, reported.append, ready_seconds=0.0)

    assert reported == ["the store"]


def test_orphans_are_found_without_any_written_state(home: Home, left_behind: ProcessRef) -> None:
    home.state.unlink()

    lifecycle.down(home, _silent)

    assert not processes.is_alive(left_behind)


def test_down_where_nothing_ever_ran_makes_nothing(home: Home, tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(home, folder=tmp_path / "never")

    assert lifecycle.down(elsewhere, _silent) == 0
    assert not elsewhere.folder.exists()


def test_up_names_the_port_that_is_taken(home: Home) -> None:
    port = keep_ports(home.ports, PLATFORM_PORTS)["airflow"]

    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(InvalidRequest, match=rf"Port {port} \(airflow\) is in use by"),
    ):
        lifecycle.up(home, _silent)

    assert processes.by_marker(home.folder) == []


def test_up_names_a_damaged_description_of_a_component(home: Home) -> None:
    home.components.mkdir()
    (home.components / "queue.json").write_text("{")

    with pytest.raises(InvalidRequest, match=r"queue\.json' does not describe a component"):
        lifecycle.up(home, _silent)

    assert processes.by_marker(home.folder) == []


def test_up_without_the_environments_says_how_to_make_them(home: Home, tmp_path: Path) -> None:
    bare = dataclasses.replace(home, project=tmp_path)

    with pytest.raises(InvalidRequest, match=r"There is no interpreter .* run `make up`"):
        lifecycle.up(bare, _silent)


def test_a_folder_that_cannot_be_made_is_one_sentence(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    elsewhere = dataclasses.replace(home, folder=tmp_path / "file" / "home")

    with pytest.raises(InvalidRequest, match=r"cannot be made .*; set PERENNIAL_HOME"):
        elsewhere.prepare()


@pytest.mark.platform
@pytest.mark.slow
def test_the_platform_starts_survives_a_kill_and_leaves_nothing(home: Home) -> None:
    try:
        lifecycle.up(home, _silent)
        supervisor = _supervisor(home)
        os.kill(supervisor, signal.SIGKILL)
        wait_until(
            lambda: psutil.Process(supervisor).status() == psutil.STATUS_ZOMBIE,
            "the supervisor is dead",
        )

        lifecycle.up(home, _silent)

        assert _supervisor(home) != supervisor
        assert lifecycle.missing(home) is None
        assert addresses_of(processes.by_marker(home.folder)) == {"127.0.0.1"}
        assert len(_named(home, "store")) == 1
    finally:
        lifecycle.down(home, _silent)

    assert processes.by_marker(home.folder) == []
    assert (home.airflow / "airflow.db").exists()


def _supervisor(home: Home) -> int:
    from perennial.local.state import read_state

    state = read_state(home)
    assert state is not None
    return state.supervisor.pid


def _named(home: Home, part: str) -> list[int]:
    words = {"store": "mini"}[part]
    found = []
    for process in processes.by_marker(home.folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            if words in process.cmdline():
                found.append(process.pid)
    return found
