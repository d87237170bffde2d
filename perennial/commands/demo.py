"""`perennial demo`: the whole cycle on 2013's flights, told and verified."""

import os
from pathlib import Path

import click

from contract.errors import AskedWrongly
from perennial.moments import written
from perennial.platform.access import open_platform
from perennial.platform.home import find_home
from perennial.platform.launch import up
from perennial.speech import Speech, Spoken, plain
from perennial.story.outside import Outside
from perennial.story.telling import NAME, Telling, document


@click.command(cls=Spoken, example="perennial demo")
def command(as_json: bool) -> None:
    """Start the platform and tell the story of one problem from its first model to its renewal.

    Every step is verified by reading back from the store, Airflow and the service; the exit code is
    0 only if all of it was found as told. The platform stays up: `perennial down` stops it.
    """
    speech = Speech(as_json=as_json)
    home = find_home()
    landing = Path(os.environ.setdefault("LANDING", str(home.folder / "landing")))
    seconds = up(home, lambda what: speech.say(f"waiting for {what} …"))
    speech.say(f"The platform is up ({seconds:.1f} s).")
    telling = Telling(speech, open_platform(home), Outside(home, landing))
    if telling.entries():
        sentence = (
            f"The story of {NAME} was told on this platform before, and time only goes forward; "
            f"`perennial history {NAME}` shows it. To tell it anew: `perennial down`, then remove "
            f"{home.folder}."
        )
        raise AskedWrongly(sentence)
    telling.tell()
    speech.answer(document(telling) | {"exit": 0 if telling.checks.all_hold else 1})
    speech.table(
        f"What {NAME} served when, and why",
        ["at", "what", "model", "before", "why"],
        [
            (
                written(entry.at),
                entry.kind,
                plain(entry.digest or "-"),
                plain(entry.previous or "-"),
                entry.reason,
            )
            for entry in telling.entries()
        ],
    )
    speech.table(
        "Verified",
        ["", "claim", "found"],
        [("yes" if one.holds else "NO", one.claim, one.found) for one in telling.checks.made],
    )
    speech.table("Where to look", ["", ""], list(telling.links().items()))
    raise SystemExit(0 if telling.checks.all_hold else 1)
