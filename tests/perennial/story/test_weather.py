"""Where the demo's weather lands, by what is at hand."""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.errors import AskedWrongly
from perennial.local import database
from perennial.local.home import Home
from perennial.story.weather import find_weather

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def plain(home: Home) -> Home:
    """A home that reads the project's own problems."""
    return dataclasses.replace(home, problems=PROJECT / "problems")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's user may enter where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="place-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(database, "_INSTALLED", tmp_path)


def test_a_persons_own_folder_of_problems_is_used_as_it_is(home: Home) -> None:
    place = find_weather(home)

    assert place.home == home
    assert place.table == {}
    assert "lands as files: PERENNIAL_PROBLEMS names" in place.sentence
    assert not home.database.exists()


@pytest.mark.usefixtures("no_programs")
def test_without_a_database_the_weather_lands_as_files(plain: Home) -> None:
    place = find_weather(plain)

    assert place.home == plain
    assert place.table == {}
    assert place.sentence.startswith("The weather lands as files: neither PATH nor ")


@pytest.mark.usefixtures("no_programs")
def test_a_database_that_is_gone_gives_the_problems_back(plain: Home) -> None:
    plain.view.mkdir()

    place = find_weather(dataclasses.replace(plain, problems=plain.view))

    assert place.home == plain
    assert not plain.view.exists()


@pytest.mark.slow
def test_with_a_database_at_hand_the_weather_lands_in_its_table(open_folder: Path) -> None:
    home = Home(open_folder / "home", PROJECT, PROJECT / "problems")
    home.prepare()
    try:
        version = database.prepare(home)
    except AskedWrongly as error:
        pytest.skip(str(error))

    place = find_weather(home)

    assert place.sentence == (
        f"The weather lands in a table of a PostgreSQL {version} that the platform keeps."
    )
    assert place.home.problems == home.view
    assert place.table == database.variables(home)
    assert find_weather(place.home) == place
