"""`perennial adopt`: accept what monitoring blocks as it is."""

import click

from contract.errors import InvalidRequest
from perennial.adoption import AdoptionRequest, adopt, take_back
from perennial.commands.rollback import login
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import load_problem


@click.command(
    cls=Command,
    example=(
        'perennial adopt churn tariff --reason "two new tariffs since May"\n'
        'perennial adopt churn --all --reason "half of the shops are sold"'
    ),
)
@click.argument("name")
@click.argument("column", required=False)
@click.option(
    "--all", "is_all", is_flag=True, help="Everything that the newest day is blocked for."
)
@click.option("--reason", required=True, metavar="TEXT", help="Reason, kept in the ledger.")
@click.option("--undo", is_flag=True, help="Take an acceptance back; the checks block again.")
def command(
    name: str, column: str | None, *, is_all: bool, reason: str, undo: bool, as_json: bool
) -> None:
    """Accept a change of the data that monitoring blocks as broken, until the next model.

    The newest decided day must be blocked for COLUMN, or for anything with --all, such as the number
    of rows. From then on its state is the usual one: further changes of it block again. The blocked
    days that led to it count again, in windows and for training. A column that no longer comes is
    left out of the next model. The ledger records your login on this machine as `by`.
    """
    console = Console(as_json=as_json)
    if (column is None) != is_all:
        sentence = "A column or --all is expected, and not both."
        raise InvalidRequest(sentence)
    location = resolve_location()
    problem, _ = load_problem(location.problems, name)
    request = AdoptionRequest(problem=problem.name, column=column, reason=reason, by=login())
    with location.connect() as platform:
        store = platform.store()
        entry = take_back(store, request) if undo else adopt(store, request)
    console.emit_json({"problem": problem.name, "entry": entry.model_dump(mode="json")})
    if as_json:
        return
    subjects = ", ".join(entry.subjects)
    if undo:
        console.print(f"{problem.name}: {subjects} is compared with the reference again.")
        return
    console.print(f"{problem.name}: {subjects} is accepted as it was on {entry.day}.")
    console.print("The next monitoring run decides by it; `--undo` takes it back.")
