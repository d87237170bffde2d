"""The demo's database as a component of the platform: down and up with it, its rows kept."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from adbc_driver_postgresql import dbapi

from demo.scenario import postgres
from demo.scenario.weather_source import choose_weather_source
from perennial.local import lifecycle, processes
from perennial.local.extra_components import component_variables
from perennial.local.home import Home
from perennial.local.state import read_state

pytestmark = [pytest.mark.platform, pytest.mark.slow]

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home with a database, in a folder that its user may enter where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="kept-"))
    folder.chmod(0o711)
    monkeypatch.setenv("LANDING", str(folder / "landing"))
    source = choose_weather_source(Home(folder / "home", PROJECT, PROJECT / "problems"))
    if not source.table:
        pytest.skip(source.sentence)
    yield source.home
    lifecycle.down(source.home, lambda _: None)
    shutil.rmtree(folder)


def ask(home: Home, statement: str) -> list[tuple[object, ...]]:
    dsn = component_variables(home)[postgres.VARIABLE]
    with dbapi.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if statement.startswith("select") else []


def test_it_goes_down_and_up_with_the_platform_and_keeps_its_rows(kept: Home) -> None:
    lifecycle.up(kept, lambda _: None)
    ask(kept, "create table kept (n int)")
    ask(kept, "insert into kept values (7)")
    state = read_state(kept)
    assert state is not None
    assert state.components["database"].state == "running"
    assert state.components["flights-problem"].restarts == 0

    lifecycle.down(kept, lambda _: None)

    assert processes.by_marker(kept.folder) == []
    assert not (kept.folder / "database" / "data" / "postmaster.pid").exists()

    os.environ.pop("LANDING")
    lifecycle.up(kept, lambda _: None)

    assert ask(kept, "select n from kept") == [(7,)]
