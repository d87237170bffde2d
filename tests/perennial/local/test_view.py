import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import AskedWrongly
from contract.problem import Problem, problem_files, read_problem
from contract.problem.sources.files import FilesSource
from contract.problem.sources.postgres import PostgresSource
from perennial.local import view
from perennial.local.environment import mentioned_names
from perennial.local.home import Home, find_home
from perennial.problems.find import load_problem

SHIPPED = Path(__file__).parents[3] / "problems"


@pytest.fixture
def seen(home: Home, tmp_path: Path) -> Home:
    """A home with a view of a project of its own, which has the problem of the demo."""
    problems = tmp_path / "project" / "problems"
    for name in ("flights", "wine"):
        (problems / name).mkdir(parents=True)
        for file in ("problem.yaml", "README.md"):
            (problems / name / file).write_text((SHIPPED / name / file).read_text())
    return view.make(dataclasses.replace(home, project=problems.parent, problems=problems))


def problems_of(home: Home) -> dict[str, Problem]:
    return {name: read_problem(file) for name, file in problem_files(home.problems).items()}


def test_only_the_source_of_the_weather_differs(seen: Home) -> None:
    theirs = read_problem(seen.written_problems / "flights" / "problem.yaml")
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
    assert mentioned_names(seen.problems) == ["LANDING", "WEATHER_DSN"]


def test_the_other_problems_are_the_projects_own_files(seen: Home) -> None:
    file = seen.problems / "wine" / "problem.yaml"

    assert file.resolve() == (seen.written_problems / "wine" / "problem.yaml").resolve()


def test_a_new_problem_and_a_removed_one_are_seen(seen: Home) -> None:
    (seen.written_problems / "wine").rename(seen.written_problems / "beer")

    view.refresh(seen)

    assert sorted(problem_files(seen.problems)) == ["beer", "flights"]


def test_what_is_being_written_is_not_shown(seen: Home) -> None:
    (seen.written_problems / ".churn-abc").mkdir()

    view.refresh(seen)

    assert not (seen.problems / ".churn-abc").exists()


def test_an_edit_of_the_demos_problem_is_followed(seen: Home) -> None:
    file = seen.written_problems / "flights" / "problem.yaml"
    file.write_text(file.read_text().replace("budget: 40s", "budget: 41s"))
    (file.parent / "notes.md").write_text("mine")

    view.refresh(seen)

    found = problems_of(seen)["flights"]
    assert found.models.budget.total_seconds() == 41
    assert isinstance(found.source["weather"], PostgresSource)
    assert (seen.problems / "flights" / "notes.md").read_text() == "mine"


def test_a_persons_own_source_of_the_weather_is_left_alone(seen: Home) -> None:
    file = seen.written_problems / "flights" / "problem.yaml"
    file.write_text(file.read_text().replace("flights/weather/*.csv.gz", "my-weather/*.csv"))

    view.refresh(seen)

    assert (seen.problems / "flights" / "problem.yaml").read_text() == file.read_text()


def test_a_file_that_does_not_validate_is_shown_all_the_same(seen: Home) -> None:
    (seen.written_problems / "flights" / "problem.yaml").write_text("name: [")

    view.refresh(seen)

    with pytest.raises(AskedWrongly, match=r"problem\.yaml:1"):
        load_problem(seen.problems, "flights")


def test_a_removed_problem_of_the_demo_goes_away(seen: Home) -> None:
    for file in (seen.written_problems / "flights").iterdir():
        file.unlink()

    view.refresh(seen)

    assert sorted(problem_files(seen.problems)) == ["wine"]


def test_a_refresh_with_nothing_new_writes_nothing(seen: Home) -> None:
    def times() -> list[int]:
        return [path.lstat().st_mtime_ns for path in sorted(seen.view.rglob("*"))]

    before = times()

    view.refresh(seen)

    assert before == times()


def test_a_folder_with_another_name_than_its_problem_is_found_through_the_view(seen: Home) -> None:
    (seen.written_problems / "wine").rename(seen.written_problems / "beer")
    view.refresh(seen)

    with pytest.raises(AskedWrongly, match="both must be the same"):
        load_problem(seen.problems, "beer")


def test_the_view_is_read_where_nobody_names_another_folder(seen: Home) -> None:
    places = {"PERENNIAL_HOME": str(seen.folder), "PERENNIAL_PATH": str(seen.project)}

    assert find_home(places) == seen
    assert find_home(places | {"PERENNIAL_PROBLEMS": "/mine"}).problems == Path("/mine")
    assert view.remove(seen) == find_home(places)
    assert find_home(places).problems == seen.project / "problems"


def test_a_command_sees_what_was_edited_a_moment_ago(
    seen: Home, call: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PERENNIAL_PROBLEMS")
    monkeypatch.setenv("PERENNIAL_PATH", str(seen.project))
    file = seen.written_problems / "flights" / "problem.yaml"
    file.write_text(file.read_text().replace("budget: 40s", "budget: 41s"))

    call("validate", "flights")

    assert problems_of(seen)["flights"].models.budget.total_seconds() == 41
