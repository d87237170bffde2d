import socket
from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from perennial.local.ports import (
    BEHIND,
    FIRST,
    PLATFORM_PORTS,
    is_free,
    keep_ports,
    read_ports,
    refuse_taken_ports,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ports.json"


def test_ports_are_chosen_once_and_kept(file: Path) -> None:
    first = keep_ports(file, PLATFORM_PORTS)

    assert keep_ports(file, PLATFORM_PORTS) == first == read_ports(file)


def test_no_two_names_share_a_port(file: Path) -> None:
    ports = keep_ports(file, PLATFORM_PORTS)

    assert len(set(ports.values())) == len(PLATFORM_PORTS)


def test_ports_lie_below_those_of_outgoing_connections(file: Path) -> None:
    ports = keep_ports(file, PLATFORM_PORTS)

    assert all(FIRST <= port < BEHIND for port in ports.values())


def test_a_later_name_leaves_the_earlier_ones_as_they_were(file: Path) -> None:
    first = keep_ports(file, ["airflow"])

    second = keep_ports(file, ["airflow", "service-churn"])

    assert second["airflow"] == first["airflow"]
    assert second["service-churn"] != first["airflow"]


def test_a_port_that_is_taken_is_not_chosen(file: Path) -> None:
    (port,) = keep_ports(file, ["airflow"]).values()
    file.unlink()

    with socket.create_server(("127.0.0.1", port)):
        assert keep_ports(file, ["airflow"])["airflow"] != port


def test_a_taken_port_is_named_with_its_process(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(
            InvalidRequest, match=rf"Port {port} \(airflow\) is in use by 'py.*'.*; stop"
        ):
            refuse_taken_ports({"airflow": port}, file)


def test_a_server_on_every_interface_takes_the_port_of_loopback_too() -> None:
    with socket.create_server(("", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_damaged_file_is_one_sentence(file: Path) -> None:
    file.write_text("[1]")

    with pytest.raises(InvalidRequest, match=r"does not hold ports .*; delete it"):
        read_ports(file)
