import socket
import stat
import sys
from pathlib import Path

import pytest
from waiting import LIMIT_SECONDS, wait_until

from contract.runtime.prefork.fork_client import fork
from contract.runtime.prefork.server import OF_ONE_PROCESS
from contract.stages import STAGES
from dags.stage.local import Child
from dags.stage.request import STORE, environment
from perennial.local import processes
from perennial.local.credentials import make_credentials
from perennial.local.environment import airflow_environment, stage_server_environment
from perennial.local.home import Home
from perennial.local.ports import PLATFORM_PORTS, keep_ports
from perennial.local.stage_server import ForkListener


@pytest.fixture
def listener(home: Home) -> ForkListener:
    found = ForkListener.open(home)
    assert found is not None
    return found


def _connect(home: Home) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(str(home.warm))
    return client


def test_only_the_owner_may_connect(home: Home, listener: ForkListener) -> None:
    assert stat.S_IMODE(home.warm.stat().st_mode) == 0o600
    listener.listener.close()


def test_a_socket_that_a_killed_platform_left_is_replaced(
    home: Home, listener: ForkListener
) -> None:
    listener.listener.close()

    again = ForkListener.open(home)

    assert again is not None
    with _connect(home):
        assert again.has_pending()
    again.listener.close()


def test_the_server_starts_when_a_client_connects(home: Home, listener: ForkListener) -> None:
    component = listener.component(home)
    serves_one = "import socket; socket.socket(fileno=0).accept()"
    component.command = [sys.executable, "-c", serves_one]
    component.poll()
    assert component.seen.state == "waiting"

    with _connect(home):
        component.poll()

    assert component.seen.state == "running"

    def has_ended() -> bool:
        component.poll()
        return component.seen.state != "running"

    wait_until(has_ended, "the server ends")
    assert (component.seen.restarts, component.seen.problem) == (0, "")
    listener.listener.close()


def test_a_client_that_waits_is_let_go_when_the_server_will_not_start(
    home: Home, listener: ForkListener
) -> None:
    with _connect(home) as first, _connect(home) as second:
        listener.reject_pending()

        assert (first.recv(1), second.recv(1)) == (b"", b"")
    listener.listener.close()


def test_where_the_path_is_too_long_each_stage_starts_an_interpreter(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()

    assert ForkListener.open(Home(folder=deep, project=tmp_path, problems=tmp_path)) is None


@pytest.fixture
def airflow(home: Home) -> dict[str, str]:
    """The environment of Airflow's processes, which the DAGs pick a stage's from."""
    ports = keep_ports(home.ports, [*PLATFORM_PORTS])
    return airflow_environment(home, ports, make_credentials(home))


def _own(variables: dict[str, str]) -> dict[str, str]:
    """Without what each process has for itself."""
    return {name: value for name, value in variables.items() if name not in OF_ONE_PROCESS}


@pytest.mark.parametrize("stage", STAGES)
def test_the_server_has_no_variable_that_a_stage_lacks(
    home: Home, airflow: dict[str, str], stage: str
) -> None:
    """Or it would refuse every such stage, which would start an interpreter each time."""
    server = _own(stage_server_environment(home))
    variables = environment(stage, (), airflow)

    assert {name: variables.get(name) for name in server} == server


def test_the_server_has_every_variable_that_all_stages_have(
    home: Home, airflow: dict[str, str]
) -> None:
    """Or a library would be imported without it; the store's are read by each process anew."""
    of_all = set.intersection(*(set(environment(stage, (), airflow)) for stage in STAGES))

    assert of_all - set(STORE) - OF_ONE_PROCESS == set(_own(stage_server_environment(home)))


def test_the_server_has_no_secret(home: Home) -> None:
    names = stage_server_environment(home).keys() - OF_ONE_PROCESS

    assert [name for name in names if name.startswith(("AWS_", "PERENNIAL_"))] == []


@pytest.mark.slow
def test_the_platforms_server_forks_what_the_dags_request(
    home: Home, listener: ForkListener, airflow: dict[str, str], tmp_path: Path
) -> None:
    """Both environments as the platform makes them: a drift between the two refuses the request."""
    component = listener.component(home)
    server = processes.start(
        component.command, component.environment, component.log, component.folder, component.stdin
    )
    variables = environment("training", (), airflow) | {"TMPDIR": str(tmp_path)}
    try:
        process = fork(
            str(home.warm),
            ["--help"],
            variables,
            variables["PYTHONPATH"],
            greeting_seconds=LIMIT_SECONDS,
        )
        child = Child(process)
        lines = list(child.lines())
        code = child.wait()
        child.close()
    finally:
        server.kill()
        server.wait()
        listener.listener.close()

    assert (lines[0], code) == ("The command line of every task.", 0)
