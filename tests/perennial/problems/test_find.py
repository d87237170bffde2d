"""A problem is found by its name in the folders of problems, the earlier folder first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from perennial.local.home import Home
from perennial.problems.find import load_problem


def test_an_add_ons_problem_goes_before_a_persons(
    home: Home, write_problem: Callable[..., Path]
) -> None:
    file = write_problem("churn")
    home.own_problems.mkdir()
    added = home.own_problems / "churn" / "problem.yaml"
    added.parent.mkdir()
    added.write_text(file.read_text())

    assert load_problem([home.own_problems, home.problems], "churn")[1] == added
    assert load_problem([home.problems], "churn")[1] == file


def test_a_sentence_names_every_folder(home: Home) -> None:
    with pytest.raises(
        InvalidRequest, match=r"no problem 'churn' in '/added' or '/mine'; known are"
    ):
        load_problem([Path("/added"), Path("/mine")], "churn")
