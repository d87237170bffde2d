"""Port-forwards are open while they are needed, and never longer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fake_airflow import Script
from waiting import wait_until

from contract.errors import NotFound, PerennialError
from perennial.kubernetes.kubectl import Kubectl
from perennial.kubernetes.port_forward import PortForwardTransport, port_forward

pytestmark = pytest.mark.slow  # processes that listen

HOLDING = """
import sys, time
from perennial.kubernetes.port_forward import port_forward
from perennial.kubernetes.kubectl import Kubectl
with port_forward(Kubectl(None), "perennial", "service/api", 8080) as port:
    print(port, flush=True)
    time.sleep(600)
"""


def _runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture
def target(world: Any, script: Script) -> str:
    """A Service that leads to the scripted Airflow."""
    world.write(forwards={"perennial service/api": int(script.url.rpartition(":")[2])})
    return "service/api"


@pytest.fixture
def port(target: str) -> Iterator[int]:
    with port_forward(Kubectl(None), "perennial", target, 8080) as local_port:
        yield local_port


def _get(port: int) -> httpx.Response:
    client = httpx.Client(transport=PortForwardTransport(lambda: port), trust_env=False)
    with client:
        return client.get("https://airflow.example.com/api/v2/dags/x")


def test_a_request_reaches_the_service_whatever_its_url_names(port: int) -> None:
    assert _get(port).status_code == 401


def test_nothing_is_left_when_it_is_closed(world: Any, target: str) -> None:
    with port_forward(Kubectl(None), "perennial", target, 8080):
        (pid,) = world.forwards()
        assert _runs(pid)

    wait_until(lambda: not _runs(pid), "the way is closed")


def test_nothing_is_left_when_the_command_is_killed(world: Any, target: str) -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert command.stdout is not None
    with command.stdout as output:
        assert output.readline()
        (pid,) = world.forwards()

        command.send_signal(signal.SIGKILL)
        command.wait()

    wait_until(lambda: not _runs(pid), "the way is closed")


def test_one_that_dies_is_opened_again_on_the_same_port(world: Any, port: int) -> None:
    (first,) = world.forwards()

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(world.forwards()) == 2, "another way is opened")

    wait_until(lambda: _answers(port), "it answers at the same port")


def _answers(port: int) -> bool:
    try:
        return _get(port).status_code == 401
    except httpx.HTTPError:
        return False


def test_a_missing_target_fails_at_once(world: Any) -> None:
    with (
        pytest.raises(NotFound, match=r'services? "nosuch" not found'),
        port_forward(Kubectl(None), "perennial", "service/nosuch", 8080),
    ):
        pass


@pytest.mark.parametrize("message", ["error: unable to forward", "Unable to connect to the server"])
def test_an_error_of_kubectl_ends_the_wait(world: Any, message: str) -> None:
    world.write(says=message)

    with (
        pytest.raises(PerennialError, match=r"unable|Unable"),
        port_forward(Kubectl(None), "perennial", "service/api", 8080),
    ):
        pass
