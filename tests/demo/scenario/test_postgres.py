import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from adbc_driver_postgresql import dbapi
from listening import addresses_of
from waiting import wait_until

from contract.errors import InvalidRequest
from demo.scenario import postgres
from perennial.local import processes
from perennial.local.environment import remember_environment, remembered_environment
from perennial.local.extra_components import (
    ExtraComponent,
    component_variables,
    is_ready,
    read_components,
)
from perennial.local.extra_processes import ExtraProcesses
from perennial.local.home import Home


def _is_installed() -> bool:
    try:
        return bool(postgres._find_programs(None))
    except InvalidRequest:
        return False


needs_postgres = pytest.mark.skipif(not _is_installed(), reason="PostgreSQL is not installed here")


@pytest.fixture(scope="module")
def served() -> Iterator[Home]:
    """A home whose database runs, in a folder that another user may enter where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="database-"))
    folder.chmod(0o711)
    home = Home(folder / "home", Path(__file__).parents[3], folder / "problems")
    home.prepare()
    postgres.prepare(home)
    (server,) = ExtraProcesses(home).poll([]).values()
    server.poll()

    def answers() -> bool:
        assert not server.poll(), server.log.read_text()
        return is_ready(component(home))

    wait_until(answers, "the database is ready")
    yield home
    process = server.seen.process
    assert process is not None
    processes.stop([process], home.folder, postgres.STOP_SECONDS)
    server.poll()
    assert server.last_exit == 0
    shutil.rmtree(folder)


def component(home: Home) -> ExtraComponent:
    (found,) = read_components(home)
    return found


def dsn_of(home: Home) -> str:
    return component_variables(home)["WEATHER_DSN"]


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "_INSTALLED", tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("no_programs")
def test_without_its_programs_the_sentence_names_where_they_are_looked_for(home: Home) -> None:
    with pytest.raises(
        InvalidRequest, match=r"neither PATH nor .* has PostgreSQL's programs initdb"
    ):
        postgres.prepare(home)

    assert not postgres.exists(home)
    assert not (home.folder / "database").exists()
    assert read_components(home) == []


def test_a_database_of_a_version_that_is_gone_is_named(home: Home) -> None:
    (home.folder / "database" / "data").mkdir(parents=True)
    (home.folder / "database" / "data" / "PG_VERSION").write_text("7\n")

    with pytest.raises(InvalidRequest, match="made by PostgreSQL 7, which is not installed here"):
        postgres.prepare(home)


def test_a_password_that_is_gone_is_never_replaced(home: Home) -> None:
    programs = home.folder / "bin"
    programs.mkdir()
    (home.folder / "database" / "data").mkdir(parents=True)
    (home.folder / "database" / "data" / "PG_VERSION").write_text("7\n")
    for name in ("initdb", "postgres"):
        (programs / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 7.4'\n")
        (programs / name).chmod(0o755)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        with pytest.raises(InvalidRequest, match=r"password of the database .* is gone"):
            postgres.prepare(home)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server is another user")
@needs_postgres
def test_a_folder_that_the_servers_user_may_not_enter_is_named(home: Home) -> None:
    home.folder.parent.chmod(0o700)

    with pytest.raises(
        InvalidRequest, match=r"refuses to run as root, and the user .* may not enter"
    ):
        postgres.prepare(home)

    assert not (home.folder / "database").exists()
    assert not home.components.exists()
    assert mode(home.folder) == 0o700


@pytest.mark.slow
@needs_postgres
def test_the_variable_opens_the_database(served: Home) -> None:
    with dbapi.connect(dsn_of(served)) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("perennial",)


@pytest.mark.slow
@needs_postgres
def test_nobody_gets_in_without_the_password(served: Home) -> None:
    head, _, tail = dsn_of(served).rpartition("@")

    with pytest.raises(Exception, match="password authentication failed"):
        dbapi.connect(f"{head.rpartition(':')[0]}:guess@{tail}")


@pytest.mark.slow
@needs_postgres
def test_it_listens_on_loopback_alone(served: Home) -> None:
    assert addresses_of(processes.tree(served.folder)) == {"127.0.0.1"}
    assert not list((served.folder / "database").rglob(".s.PGSQL*"))


@pytest.mark.slow
@needs_postgres
def test_only_the_owner_reads_the_password(served: Home) -> None:
    assert mode(served.credentials / "database.password") == 0o600
    assert mode(served.folder / "database") == 0o700
    assert mode(served.folder) == (0o710 if os.geteuid() == 0 else 0o700)


@pytest.mark.slow
@needs_postgres
def test_preparing_again_changes_nothing(served: Home) -> None:
    before = component(served)

    postgres.prepare(served)

    assert component(served) == before
    assert is_ready(before)


@pytest.mark.slow
@needs_postgres
def test_a_later_up_has_the_connection_string(served: Home) -> None:
    remember_environment(served, {})

    assert remembered_environment(served) == {"WEATHER_DSN": dsn_of(served)}
