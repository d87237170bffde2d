"""`perennial predict`: predictions of the served model."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contract.errors import InvalidRequest, TryAgain
from contract.formatting import format_unknown, plain_text
from contract.problem import Problem
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import load_problem

if TYPE_CHECKING:
    from perennial.clients.service import Service

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
    """Send rows to the problem's service and print its response; the predictions are logged.

    Below it stands what the score means, from which threshold on it is which label, and what the
    problem says is done then. A row is a JSON object of column names and values; `-` reads standard input.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    problem, _ = load_problem(location.problems, name)
    rows = read_rows(file)
    with location.connect() as platform:
        service = platform.service(problem.name)
        if service is None:
            sentence = (
                f"No model of {problem.name!r} is served yet; run `perennial run {problem.name}`."
            )
            raise TryAgain(sentence)
        response = service.predict(rows)
        meaning = _meaning(service, problem)
    console.emit_json({**response, "decision": meaning} if meaning else response)
    if not as_json:
        _show(console, response)
        _explain(console, meaning)


def _meaning(service: "Service", problem: Problem) -> dict[str, Any]:
    """Return what the answers mean and what is done with them; nothing where the service is older."""
    info = service.info()
    decision = info.get("decision") if info else None
    return {**decision, "then": problem.decision} if decision else {}


def _explain(console: Console, meaning: Mapping[str, Any]) -> None:
    """Print below an answer what it means."""
    if not meaning:
        return
    if meaning.get("threshold") is not None:
        console.print(f"{'threshold':<12}{_text(meaning['threshold'])}")
    console.print(f"{'means':<12}{plain_text(meaning['meaning'])}")
    if meaning["then"]:
        console.print(f"{'then':<12}{meaning['then']}")


def read_rows(file: str) -> Any:  # noqa: ANN401 - any JSON value; the service validates it
    """Return the rows of a file: an object or a list of objects.

    Raises:
        InvalidRequest: it cannot be read, or holds something else.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        document = json.loads(text)
    except (OSError, ValueError) as error:
        sentence = f"{file}: found no JSON ({error}); a row or a list of rows is expected."
        raise InvalidRequest(sentence) from error
    if isinstance(document, dict) and isinstance(document.get("rows"), list):
        document = document["rows"]
    rows = document if isinstance(document, list) else [document]
    if not rows or not all(isinstance(row, dict) for row in rows):
        sentence = f"{file}: found {str(document)[:60]!r}; a row or a list of rows is expected."
        raise InvalidRequest(sentence)
    return document


def _show(console: Console, response: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print a response: its values as lines, its lists as tables."""
    if not isinstance(response, dict):
        console.print(str(response))
        return
    lists = {name: value for name, value in response.items() if isinstance(value, list)}
    for name, value in response.items():
        if name not in lists:
            console.print(f"{name:<12}{_text(value)}")
    for name, values in lists.items():
        rows = [(str(index), _line(value)) for index, value in enumerate(values[:SHOWN_ROWS])]
        console.table(name, ["row", ""], rows)
        if len(values) > SHOWN_ROWS:
            console.print(f"… and {len(values) - SHOWN_ROWS} more; --json prints all.")


def _line(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return " · ".join(f"{name} {_text(inner)}" for name, inner in value.items())
    return _text(value)


def _text(value: object) -> str:
    return plain_text(format_unknown(value))
