import socket
import stat
import sys
import time
from pathlib import Path

import pytest

from dags.stage.request import environment
from perennial.local.credentials import make_credentials
from perennial.local.environment import airflow_environment, warm_environment
from perennial.local.home import Home
from perennial.local.ports import PLATFORM_PORTS, keep_ports
from perennial.local.stage_server import WarmDoor


@pytest.fixture
def door(home: Home) -> WarmDoor:
    found = WarmDoor.open(home)
    assert found is not None
    return found


def _knock(home: Home) -> socket.socket:
    knocking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    knocking.connect(str(home.warm))
    return knocking


def test_only_the_owner_may_knock(home: Home, door: WarmDoor) -> None:
    assert stat.S_IMODE(home.warm.stat().st_mode) == 0o600
    door.listener.close()


def test_a_door_that_a_killed_platform_left_is_replaced(home: Home, door: WarmDoor) -> None:
    door.listener.close()

    again = WarmDoor.open(home)

    assert again is not None
    with _knock(home):
        assert again.is_knocked_at()
    again.listener.close()


def test_the_interpreter_starts_when_somebody_knocks(home: Home, door: WarmDoor) -> None:
    component = door.component(home)
    serves_one = "import socket; socket.socket(fileno=0).accept()"
    component.command = [sys.executable, "-c", serves_one]
    component.poll()
    assert component.seen.state == "waiting"

    with _knock(home):
        component.poll()

    assert component.seen.state == "running"
    deadline = time.monotonic() + 20
    while component.seen.state == "running":
        component.poll()
        assert time.monotonic() < deadline
    assert (component.seen.restarts, component.seen.problem) == (0, "")
    door.listener.close()


def test_who_waits_is_let_go_when_it_will_not_start(home: Home, door: WarmDoor) -> None:
    with _knock(home) as first, _knock(home) as second:
        door.turn_away()

        assert (first.recv(1), second.recv(1)) == (b"", b"")
    door.listener.close()


def test_where_the_path_is_too_long_each_stage_starts_an_interpreter(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()

    assert WarmDoor.open(Home(folder=deep, project=tmp_path, problems=tmp_path)) is None


def test_it_imports_with_what_every_stage_has(home: Home) -> None:
    ports = keep_ports(home.ports, [*PLATFORM_PORTS])
    given = airflow_environment(home, ports, make_credentials(home))

    found = warm_environment(home)

    stage = environment("split", (), given)
    own = {"PERENNIAL_PLATFORM"}
    assert {name: stage.get(name) for name in found.keys() - own} == {
        name: value for name, value in found.items() if name not in own
    }
    assert [] == [
        name for name in found if name.startswith(("AWS_", "PERENNIAL_")) and name not in own
    ]
