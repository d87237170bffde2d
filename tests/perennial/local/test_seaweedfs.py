from pathlib import Path

import psutil
import pytest
from listening import addresses_of
from waiting import LIMIT_SECONDS

from contract.store.client import Store
from perennial.local import seaweedfs as seaweed
from perennial.local.ports import STORE_PORTS

PORTS = {name: 20_000 + place for place, name in enumerate(STORE_PORTS)}


def test_every_port_is_given_with_its_grpc_port() -> None:
    words = seaweed.command(Path("data"), Path("s3.json"), PORTS)

    given = {word.partition("=")[2] for word in words if ".port" in word}

    assert {str(port) for port in PORTS.values()} <= given


def test_the_store_listens_on_loopback_and_reports_nothing() -> None:
    words = seaweed.command(Path("data"), Path("s3.json"), PORTS)

    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"} <= set(words)


def test_a_master_that_is_started_again_does_not_spin() -> None:
    words = seaweed.command(Path("data"), Path("s3.json"), PORTS)

    assert "-master.resumeState=false" in words


def test_no_secret_stands_on_the_command_line() -> None:
    words = seaweed.command(Path("data"), Path("s3.json"), PORTS)

    assert [word for word in words if "password" in word or "secret" in word] == []


def test_a_store_that_began_with_eight_databases_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "filerldb2").mkdir()

    seaweed.configure(tmp_path)

    assert not (tmp_path / "filer.toml").exists()


@pytest.mark.slow
def test_a_real_store_keeps_what_it_was_told_over_a_kill(tmp_path: Path) -> None:
    first = seaweed.start(tmp_path, ready_seconds=LIMIT_SECONDS)
    Store.from_environment(first.environment).create("churn/rollout.json", b"{}")
    seaweed.make_durable(first.ports)
    first.process.kill()
    first.process.wait()

    second = seaweed.start(tmp_path, ready_seconds=LIMIT_SECONDS)
    try:
        store = Store.from_environment(second.environment)
        listening = addresses_of([psutil.Process(second.process.pid)])

        assert store.get("churn/rollout.json") == b"{}"
        assert (tmp_path / "data" / "filerldb").is_dir()
        assert not (tmp_path / "data" / "filerldb2").exists()
        assert seaweed.has(second.ports, "churn/rollout.json")
        assert not seaweed.has(second.ports, "churn/champion.json")
        assert listening == {"127.0.0.1"}
        assert second.ports == first.ports
    finally:
        second.stop()
