"""Which folders a platform has, by the names of the environment."""

from pathlib import Path

from perennial.local.home import find_home


def test_an_add_ons_problems_go_before_the_projects(tmp_path: Path) -> None:
    names = {"PERENNIAL_HOME": str(tmp_path / "home"), "PERENNIAL_PATH": str(tmp_path / "project")}
    assert find_home(names).problem_folders == (tmp_path / "project" / "problems",)
    (tmp_path / "home" / "problems").mkdir(parents=True)

    home = find_home(names)

    assert home.problem_folders == (tmp_path / "home" / "problems", home.problems)
    assert home.problems == tmp_path / "project" / "problems"


def test_folders_that_are_named_are_all_that_count(tmp_path: Path) -> None:
    (tmp_path / "problems").mkdir()
    names = {"PERENNIAL_HOME": str(tmp_path), "PERENNIAL_PROBLEMS": "/added:/mine"}

    home = find_home(names)

    assert home.problems == Path("/mine")
    assert home.problem_folders == (Path("/added"), Path("/mine"))
    assert find_home(names | {"PERENNIAL_PROBLEMS": home.problem_path}) == home
