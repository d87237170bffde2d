"""`perennial demo`: the whole cycle on 2013's flights, told and verified."""

import os
from pathlib import Path

import click

from contract.errors import AskedWrongly
from perennial.moments import written
from perennial.platform.access import open_platform
from perennial.platform.home import Home, find_home
from perennial.platform.launch import down, up
from perennial.speech import Speech, Spoken, plain
from perennial.story.findings import NAME, Findings, document
from perennial.story.outside import Outside
from perennial.story.place import find_place
from perennial.story.telling import Telling


@click.command(cls=Spoken, example="perennial demo")
def command(as_json: bool) -> None:
    """Start the platform and tell the story of one problem from its first model to its renewal.

    Every step is verified by reading back from the store, Airflow and the service; the exit code is
    0 only if all of it was found as told. Where PostgreSQL is installed the weather lands in a table
    of a database, else as files. The platform stays up: `perennial down` stops it.
    """
    speech = Speech(as_json=as_json)
    home = find_home()
    landing = Path(os.environ.setdefault("LANDING", str(home.folder / "landing")))
    if home.data.exists():
        _start(home, speech)
        _refuse_told(home)
    place = find_place(home)
    speech.say(place.sentence)
    if place.home != home:
        # Airflow keeps the folder of problems and the sources' names that it was started with.
        down(home, lambda what: speech.say(f"stopping {what} …"))
    seconds = _start(place.home, speech)
    speech.say(f"The platform is up ({seconds:.1f} s).")
    findings = Findings(open_platform(place.home))
    Telling(speech, findings, Outside(place.home, landing, place.table)).tell()
    found = {"weather": place.sentence, "ready_seconds": round(seconds, 1)}
    found |= {"exit": 0 if findings.checks.all_hold else 1}
    speech.answer(document(findings) | found)
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
            for entry in findings.entries()
        ],
    )
    speech.table(
        "Verified",
        ["", "claim", "found"],
        [("yes" if one.holds else "NO", one.claim, one.found) for one in findings.checks.made],
    )
    speech.table("Where to look", ["", ""], list(findings.links().items()))
    raise SystemExit(0 if findings.checks.all_hold else 1)


def _start(home: Home, speech: Speech) -> float:
    """Start the platform and tell what is waited for; return the seconds that it took."""
    return up(home, lambda what: speech.say(f"waiting for {what} …"))


def _refuse_told(home: Home) -> None:
    """See that the story was not told before, and leave everything as it is where it was."""
    if Findings(open_platform(home)).entries():
        sentence = (
            f"The story of {NAME} was told on this platform before, and time only goes forward; "
            f"`perennial history {NAME}` shows it. To tell it anew: `perennial down`, then remove "
            f"{home.folder}."
        )
        raise AskedWrongly(sentence)
