"""Where the demo's weather lands, by what is at hand."""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from demo.scenario import postgres, problem_view
from demo.scenario.weather_source import choose_weather_source
from perennial.local.extra_components import component_variables, read_components
from perennial.local.home import Home

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
    monkeypatch.setattr(postgres, "_INSTALLED", tmp_path)


def test_a_persons_own_folder_of_problems_is_used_as_it_is(home: Home) -> None:
    source = choose_weather_source(home)

    assert source.home == home
    assert source.table == {}
    assert "lands as files: PERENNIAL_PROBLEMS names" in source.sentence
    assert not postgres.exists(home)


@pytest.mark.usefixtures("no_programs")
def test_without_a_database_the_weather_lands_as_files(plain: Home) -> None:
    source = choose_weather_source(plain)

    assert source.home == plain
    assert source.table == {}
    assert source.sentence.startswith("The weather lands as files: neither PATH nor ")


@pytest.mark.usefixtures("no_programs")
def test_a_database_that_is_gone_gives_the_problems_back(plain: Home) -> None:
    source = choose_weather_source(problem_view.make(plain))

    assert source.home == plain
    assert not plain.own_problems.exists()
    assert read_components(plain) == []


@pytest.mark.slow
def test_with_a_database_at_hand_the_weather_lands_in_its_table(open_folder: Path) -> None:
    home = Home(open_folder / "home", PROJECT, PROJECT / "problems")
    home.prepare()
    try:
        version = postgres.prepare(home)
    except InvalidRequest as error:
        pytest.skip(str(error))

    source = choose_weather_source(home)

    assert source.sentence == (
        f"The weather lands in a table of a PostgreSQL {version} that the platform keeps."
    )
    assert source.home.problem_folders == (home.own_problems, home.problems)
    assert source.table == component_variables(home)
    assert [one.name for one in read_components(home)] == ["database", "flights-problem"]
    assert choose_weather_source(source.home) == source
