"""`init` on a project whose interpreter is a script: what the task says is the edge."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from contract.errors import InvalidRequest, Refused
from perennial.local.home import Home
from perennial.problems.scaffold import Request, write_problem

Call = Callable[..., Result]
GOOD = """#!/bin/sh
test "$1 $2 $3 $4" = "-m tasks suggestion --params" || exit 1
cat > "$7/problem.yaml" <<'EOF'
apiVersion: perennial/v1
kind: Problem
name: churn
question: What is left?
target: { column: left }
source: { main: { kind: files, path: /data/customers.csv } }
EOF
echo "$5" > "$7/README.md"
echo '{"expectations": []}' > "$7/expectations.json"
"""
REFUSING = """#!/bin/sh
echo '{"why": "customers.csv has no rows; at least 100 are needed."}' > "$STAGE_RESULT"
exit 3
"""
BROKEN = """#!/bin/sh
echo half > "$7/problem.yaml"
echo 'KeyError: 3' >&2
exit 1
"""
REQUEST = Request(name="churn", file="/data/customers.csv", target="left", task=None)


@pytest.fixture
def project(home: Home, tmp_path: Path) -> Callable[[str], Home]:
    """Make a project whose tasks do what a script says."""

    def make(script: str) -> Home:
        found = dataclasses.replace(home, project=tmp_path / "project")
        found.python.parent.mkdir(parents=True)
        found.python.write_text(script)
        found.python.chmod(0o755)
        return found

    return make


def test_all_files_are_written(project: Callable[[str], Home]) -> None:
    problem, folder = write_problem(project(GOOD), REQUEST)

    assert problem.target.column == "left"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "expectations.json",
        "kustomization.yaml",
        "problem.yaml",
        "serving",
    ]
    assert json.loads((folder / "README.md").read_text()) == REQUEST.model_dump()


def test_the_cluster_takes_the_files_under_the_problems_name(
    project: Callable[[str], Home],
) -> None:
    _, folder = write_problem(project(GOOD), REQUEST)

    text = (folder / "kustomization.yaml").read_text()

    assert "[churn.problem.yaml=problem.yaml, churn.expectations.json=expectations.json]" in text
    assert "namePrefix: churn-\n" in (folder / "serving" / "kustomization.yaml").read_text()


def test_data_that_cannot_be_learned_from_leave_no_folder(project: Callable[[str], Home]) -> None:
    home = project(REFUSING)

    with pytest.raises(Refused, match=r"customers\.csv has no rows; at least 100 are needed\."):
        write_problem(home, REQUEST)

    assert list(home.problems.iterdir()) == []


def test_a_task_that_breaks_leaves_no_half_of_a_problem(project: Callable[[str], Home]) -> None:
    home = project(BROKEN)

    with pytest.raises(RuntimeError, match="ended with exit code 1: KeyError: 3"):
        write_problem(home, REQUEST)

    assert list(home.problems.iterdir()) == []


def test_a_problem_that_is_there_is_never_overwritten(project: Callable[[str], Home]) -> None:
    home = project(GOOD)
    write_problem(home, REQUEST)

    with pytest.raises(InvalidRequest, match="is there already; choose another name or remove it"):
        write_problem(home, REQUEST)


@pytest.mark.parametrize("name", ["Churn", "2churn", "churn_2", "", "a" * 41])
def test_a_name_that_no_problem_may_have_is_refused(call: Call, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("left\n1\n")

    result = call("init", name, "--from", str(tmp_path / "a.csv"), "--target", "left")

    assert result.exit_code == 2
    assert f"The name {name!r} was found; lowercase letters" in result.stderr


@pytest.mark.parametrize(
    ("file", "sentence"),
    [("none.csv", "There is no file"), ("a.xls", "has an unknown format; known are: .csv")],
)
def test_a_file_that_is_no_table_is_refused(
    call: Call, tmp_path: Path, file: str, sentence: str
) -> None:
    (tmp_path / "a.xls").write_text("")

    result = call("init", "churn", "--from", str(tmp_path / file), "--target", "left")

    assert result.exit_code == 2
    assert sentence in result.stderr
