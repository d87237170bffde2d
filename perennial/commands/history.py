"""`perennial history`: what was served when, and why."""

import click

from contract.ledger_lines import ledger_lines
from contract.store.ledger import Ledger
from perennial.config import find_place
from perennial.console import Command, Console, plain
from perennial.problems.find import find_problem
from perennial.times import written


@click.command(cls=Command, example="perennial history churn")
@click.argument("name")
def command(name: str, as_json: bool) -> None:
    """Print the ledger of a problem: every deployment, refusal, return and rollback, oldest first.

    A fault of the data that was written down on several days in a row is one line; with --json all
    entries are printed.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    find_problem(place.problems, name)
    with place.opened() as platform:
        entries = Ledger(platform.store(), name).entries()
    speech.answer(
        {"problem": name, "entries": [entry.model_dump(mode="json") for entry in entries]}
    )
    if not entries and not as_json:
        speech.say(f"Nothing was decided for {name} yet.")
        return
    speech.table(
        f"Ledger of {name}",
        ["at", "what", "model", "before", "run", "by", "why"],
        [
            (
                written(line.entry.at),
                line.entry.kind,
                plain(line.entry.digest or "-"),
                plain(line.entry.previous or "-"),
                line.entry.run,
                line.entry.by or "-",
                line.reason,
            )
            for line in ledger_lines(entries)
        ],
    )
