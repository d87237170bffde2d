"""`perennial history`: what was served when, and why."""

import click

from contract.ledger import Ledger
from perennial.choosing import find_place
from perennial.moments import written
from perennial.problems import find_problem
from perennial.speech import Speech, Spoken, plain


@click.command(cls=Spoken, example="perennial history flights")
@click.argument("name")
def command(name: str, as_json: bool) -> None:
    """Print the ledger of a problem: every deployment, refusal, return and rollback, oldest first."""
    speech = Speech(as_json=as_json)
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
        ["at", "what", "model", "before", "run", "why"],
        [
            (
                written(entry.at),
                entry.kind,
                plain(entry.digest or "-"),
                plain(entry.previous or "-"),
                entry.run,
                entry.reason,
            )
            for entry in entries
        ],
    )
