"""`perennial history`: which model was served when, and why."""

import click

from contract.formatting import MISSING, format_digest, format_time
from contract.ledger_lines import ledger_lines
from contract.store.ledger import Ledger
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import find_problem


@click.command(cls=Command, example="perennial history churn")
@click.argument("name")
def command(name: str, as_json: bool) -> None:
    """Print the ledger of a problem: every deployment, refusal, return and rollback, oldest first.

    A fault of the data that was written down on several days in a row is one line; with --json all
    entries are printed.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    find_problem(location.problems, name)
    with location.connect() as platform:
        entries = Ledger(platform.store(), name).entries()
    console.emit_json(
        {"problem": name, "entries": [entry.model_dump(mode="json") for entry in entries]}
    )
    if not entries and not as_json:
        console.print(f"The ledger of {name} has no entries yet.")
        return
    console.table(
        f"Ledger of {name}",
        ["at", "what", "model", "before", "run", "by", "why"],
        [
            (
                format_time(line.entry.at),
                line.entry.kind,
                format_digest(line.entry.digest),
                format_digest(line.entry.previous),
                line.entry.run,
                line.entry.by or MISSING,
                line.reason,
            )
            for line in ledger_lines(entries)
        ],
    )
