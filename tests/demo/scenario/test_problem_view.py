"""The problem of the demo as the platform reads it once the weather lands in a database."""

import dataclasses
from pathlib import Path

import pytest
from waiting import wait_until

from contract.errors import InvalidRequest
from contract.problem import Problem, problem_files, read_problem
from contract.problem.sources.files import FilesSource
from contract.problem.sources.postgres import PostgresSource
from demo.scenario import problem_view
from perennial.local.component import Component
from perennial.local.environment import mentioned_names
from perennial.local.extra_components import read_components
from perennial.local.extra_processes import ExtraProcesses
from perennial.local.home import Home, find_home
from perennial.problems.find import load_problem

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def seen(home: Home, tmp_path: Path) -> Home:
    """A home with a view of a project of its own, which has the problem of the demo."""
    problems = tmp_path / "project" / "problems"
    for name in ("flights", "wine"):
        (problems / name).mkdir(parents=True)
        for file in ("problem.yaml", "README.md"):
            (problems / name / file).write_text((PROJECT / "problems" / name / file).read_text())
    return problem_view.make(dataclasses.replace(home, project=problems.parent, problems=problems))


def original(home: Home) -> Path:
    return home.problems / "flights" / "problem.yaml"


def problems_of(home: Home) -> dict[str, Problem]:
    return {name: read_problem(file) for name, file in problem_files(*home.problem_folders).items()}


def edit(home: Home, before: str, after: str) -> None:
    text = original(home).read_text()
    assert before in text
    original(home).write_text(text.replace(before, after))


def test_only_the_source_of_the_weather_differs(seen: Home) -> None:
    theirs = read_problem(original(seen))
    ours = problems_of(seen)["flights"]

    before, now = theirs.source["weather"], ours.source["weather"]
    assert isinstance(before, FilesSource)
    assert isinstance(now, PostgresSource)
    assert now.model_dump(exclude={"kind", "query", "connection"}) == before.model_dump(
        exclude={"kind", "path"}
    )
    assert theirs.model_dump(exclude={"source": {"weather"}}) == ours.model_dump(
        exclude={"source": {"weather"}}
    )


def test_both_variables_are_remembered(seen: Home) -> None:
    assert mentioned_names(seen) == ["LANDING", "PERENNIAL_WEBHOOK", "WEATHER_DSN"]


def test_the_other_problems_are_the_projects_own(seen: Home) -> None:
    (seen.problems / "wine").rename(seen.problems / "beer")

    found = problem_files(*seen.problem_folders)

    assert sorted(found) == ["beer", "flights"]
    assert found["beer"].parent == seen.problems / "beer"


def test_links_of_an_earlier_version_are_removed(seen: Home) -> None:
    (seen.own_problems / "wine").symlink_to(seen.problems / "wine")

    problem_view.make(seen)

    assert [path.name for path in seen.own_problems.iterdir()] == ["flights"]


def test_an_edit_of_the_problem_is_followed(seen: Home) -> None:
    edit(seen, "budget: 40s", "budget: 41s")
    (original(seen).parent / "notes.md").write_text("mine")
    (original(seen).parent / ".partial").write_text("")

    problem_view.refresh(seen)

    found = problems_of(seen)["flights"]
    assert found.models.budget.total_seconds() == 41
    assert isinstance(found.source["weather"], PostgresSource)
    assert (seen.own_problems / "flights" / "notes.md").read_text() == "mine"
    assert not (seen.own_problems / "flights" / ".partial").exists()


def test_a_persons_own_source_of_the_weather_is_left_alone(seen: Home) -> None:
    edit(seen, "flights/weather/*.csv.gz", "my-weather/*.csv")

    problem_view.refresh(seen)

    shown = seen.own_problems / "flights" / "problem.yaml"
    assert shown.read_text() == original(seen).read_text()


def test_a_file_that_does_not_validate_is_shown_all_the_same(seen: Home) -> None:
    original(seen).write_text("name: [")

    problem_view.refresh(seen)

    with pytest.raises(InvalidRequest, match=r"problem\.yaml:1"):
        load_problem(seen.problem_folders, "flights")


def test_a_removed_problem_goes_away(seen: Home) -> None:
    for file in original(seen).parent.iterdir():
        file.unlink()

    problem_view.refresh(seen)

    assert sorted(problem_files(*seen.problem_folders)) == ["wine"]


def test_a_refresh_with_nothing_new_writes_nothing(seen: Home) -> None:
    def times() -> list[int]:
        return [path.lstat().st_mtime_ns for path in sorted(seen.own_problems.rglob("*"))]

    before = times()

    problem_view.refresh(seen)

    assert before == times()


def test_the_view_is_read_where_nobody_names_another_folder(seen: Home) -> None:
    places = {"PERENNIAL_HOME": str(seen.folder), "PERENNIAL_PATH": str(seen.project)}

    assert find_home(places) == seen
    assert find_home(places | {"PERENNIAL_PROBLEMS": "/mine"}).problem_folders == (Path("/mine"),)
    assert problem_view.remove(seen) == find_home(places)
    assert find_home(places).problem_folders == (seen.project / "problems",)
    assert read_components(seen) == []


@pytest.mark.slow
def test_the_platform_follows_an_edit(seen: Home) -> None:
    """As its supervisor does: the component runs once at the start, and after each edit."""
    home = dataclasses.replace(seen, project=PROJECT)
    problem_view.make(home)
    (component,) = ExtraProcesses(home).poll([]).values()
    _run(component)
    edit(seen, "budget: 40s", "budget: 41s")

    _run(component)

    assert problems_of(seen)["flights"].models.budget.total_seconds() == 41
    assert not component.poll()


def _run(component: Component) -> None:
    component.poll()
    assert component.seen.state == "running"

    def has_ended() -> bool:
        component.poll()
        return component.seen.state != "running"

    wait_until(has_ended, "the component ends")
    assert component.last_exit == 0, component.log.read_text()
