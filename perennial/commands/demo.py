"""`perennial demo`: the whole cycle on 2013's flights, told and verified; on a cluster, on wines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from contract.errors import AskedWrongly
from perennial.choosing import find_place
from perennial.cluster.landing import LANDING
from perennial.cluster.place import Cluster
from perennial.moments import written
from perennial.place import Place
from perennial.platform.home import find_home
from perennial.speech import Speech, Spoken, plain
from perennial.story.checks import Story, document
from perennial.story.outside import Outside
from perennial.story.tasting import Tasting
from perennial.story.telling import Telling


@click.command(cls=Spoken, example="perennial demo\nperennial --on kubernetes demo")
@click.option("--overlay", metavar="NAME|PATH", help="Of a cluster, as for `up`.")
def command(overlay: str | None, as_json: bool) -> None:
    """Start the platform and tell the story of one problem from its first model to its renewal.

    Every step is verified by reading back from the store, Airflow and the service; the exit code is
    0 only if all of it was found as told. The platform stays up: `perennial down` stops it.

    On a cluster a smaller story is told, of the problem wine, and as often as one likes: its table
    is written to the volume `landing`, a model is made, judged and deployed, bottles are asked
    about, and monitoring judges the day.
    """
    speech = Speech(as_json=as_json)
    place = find_place()
    is_cluster = isinstance(place, Cluster)
    usual = LANDING if is_cluster else str(find_home().folder / "landing")
    landing = os.environ.setdefault("LANDING", usual)
    seconds = place.up(speech.say, overlay)
    speech.say(f"The platform is up ({seconds:.1f} s).")
    with _story(speech, place, landing) as story:
        story.tell()
        _show(speech, story)
    raise SystemExit(0 if story.checks.all_hold else 1)


@contextmanager
def _story(speech: Speech, place: Place, landing: str) -> Iterator[Story]:
    home = find_home()
    with place.opened() as platform:
        if isinstance(place, Cluster):
            yield Tasting(speech, platform, home, place.land)
            return
        telling = Telling(speech, platform, Outside(home, Path(landing)))
        if telling.entries():
            sentence = (
                f"The story of {telling.name} was told on this platform before, and time only goes "
                f"forward; `perennial history {telling.name}` shows it. To tell it anew: "
                f"`perennial down`, then remove {home.folder}."
            )
            raise AskedWrongly(sentence)
        yield telling


def _show(speech: Speech, story: Story) -> None:
    speech.answer(document(story) | {"exit": 0 if story.checks.all_hold else 1})
    speech.table(
        f"What {story.name} served when, and why",
        ["at", "what", "model", "before", "why"],
        [
            (
                written(entry.at),
                entry.kind,
                plain(entry.digest or "-"),
                plain(entry.previous or "-"),
                entry.reason,
            )
            for entry in story.entries()
        ],
    )
    speech.table(
        "Verified",
        ["", "claim", "found"],
        [("yes" if one.holds else "NO", one.claim, one.found) for one in story.checks.made],
    )
    speech.table("Where to look", ["", ""], list(story.links().items()))
