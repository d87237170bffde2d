"""`perennial predict`: ask the served model."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from contract.errors import AskedWrongly, TryAgain
from perennial.config import find_place
from perennial.console import Command, Console, plain
from perennial.problems.find import load_problem

SHOWN_ROWS = 50  # arbitrary; `--json` prints all


@click.command(
    cls=Command,
    example="perennial predict churn --file rows.json\n"
    'echo \'{"plan": "basic", "months": 14}\' | perennial predict churn',
)
@click.argument("name")
@click.option(
    "--file", "file", default="-", metavar="FILE|-", help="JSON: a row or a list of rows."
)
def command(name: str, file: str, as_json: bool) -> None:
    """Send rows to the problem's service and print what it answers; the prediction is logged.

    A row is a JSON object of column names and values; `-` reads standard input.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    problem, _ = load_problem(place.problems, name)
    rows = read_rows(file)
    with place.opened() as platform:
        service = platform.service(problem.name)
        if service is None:
            sentence = (
                f"No model of {problem.name!r} is served yet; run `perennial run {problem.name}`."
            )
            raise TryAgain(sentence)
        answer = service.predict(rows)
    speech.answer(answer)
    if not as_json:
        _show(speech, answer)


def read_rows(file: str) -> Any:  # noqa: ANN401 - any JSON value; the service checks it
    """Return the rows of a file: an object or a list of objects.

    Raises:
        AskedWrongly: it cannot be read, or holds something else.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        sentence = f"{file}: found no JSON ({error}); a row or a list of rows is expected."
        raise AskedWrongly(sentence) from error
    if isinstance(found, dict) and isinstance(found.get("rows"), list):
        found = found["rows"]
    rows = found if isinstance(found, list) else [found]
    if not rows or not all(isinstance(row, dict) for row in rows):
        sentence = f"{file}: found {str(found)[:60]!r}; a row or a list of rows is expected."
        raise AskedWrongly(sentence)
    return found


def _show(speech: Console, answer: Any) -> None:  # noqa: ANN401 - the service's own words
    """Show what the service said: its values as lines, its lists as a table."""
    if not isinstance(answer, dict):
        speech.say(str(answer))
        return
    lists = {name: value for name, value in answer.items() if isinstance(value, list)}
    for name, value in answer.items():
        if name not in lists:
            speech.say(f"{name:<12}{plain(value)}")
    for name, values in lists.items():
        rows = [(str(place), _line(value)) for place, value in enumerate(values[:SHOWN_ROWS])]
        speech.table(name, ["row", ""], rows)
        if len(values) > SHOWN_ROWS:
            speech.say(f"… and {len(values) - SHOWN_ROWS} more; --json prints all.")


def _line(value: Any) -> str:  # noqa: ANN401 - the service's own words
    if isinstance(value, dict):
        return " · ".join(f"{name} {plain(inner)}" for name, inner in value.items())
    return plain(value)
