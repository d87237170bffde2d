"""`perennial validate`: check a problem file."""

import json
from pathlib import Path

import click

from contract.errors import InvalidRequest
from contract.problem import Problem
from perennial.console import Command, Console
from perennial.local.home import find_home
from perennial.problems.find import load_problem


@click.command(
    cls=Command, example="perennial validate churn\nperennial validate work/problem.yaml"
)
@click.argument("name", metavar="NAME|FILE")
def command(name: str, as_json: bool) -> None:
    """Check a problem file and the suite of expectations beside it.

    Works offline. Every error is one line: file, line, column, the value found, the value expected.
    """
    console = Console(as_json=as_json)
    problem, file = load_problem(find_home().problem_folders, name)
    suite = check_suite(problem, file)
    notice = problem.gates.beats.champion.notice
    found = {"valid": True, "name": problem.name, "file": str(file), "suite": suite}
    console.emit_json({**found, "notices": [notice] if notice else []})
    if not as_json:
        console.print(f"{file} is valid: {problem.question}")
        if notice:
            console.print(f"Notice: {notice}")


def check_suite(problem: Problem, file: Path) -> str | None:
    """Return the path of the expectations; None where there are none, which is allowed.

    Raises:
        InvalidRequest: the file is not a suite.
    """
    suite = file.parent / problem.checks.suite
    if not suite.exists():
        return None
    try:
        document = json.loads(suite.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        sentence = f"{suite}: found no JSON ({error}); a suite of Great Expectations is expected."
        raise InvalidRequest(sentence) from error
    if not isinstance(document, dict) or not isinstance(document.get("expectations", []), list):
        sentence = f"{suite}: found no suite; an object with a list 'expectations' is expected."
        raise InvalidRequest(sentence)
    return str(suite)
