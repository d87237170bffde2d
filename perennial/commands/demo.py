"""`perennial demo`: the whole cycle on 2013's flights, told and verified; on a cluster, on wines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from contract.errors import AskedWrongly
from perennial.config import find_place
from perennial.console import Command, Console, plain
from perennial.kubernetes.cluster_location import ClusterLocation
from perennial.kubernetes.landing import LANDING
from perennial.local.home import Home, find_home
from perennial.local.machine_location import MachineLocation
from perennial.platform import PlatformLocation
from perennial.story.checks import Story, document
from perennial.story.findings import NAME, Findings
from perennial.story.outside import Outside
from perennial.story.tasting import Tasting
from perennial.story.telling import Telling
from perennial.story.weather import find_weather
from perennial.times import written

Facts = dict[str, object]


@click.command(cls=Command, example="perennial demo\nperennial --on kubernetes demo")
@click.option("--overlay", metavar="NAME|PATH", help="Of a cluster, as for `up`.")
def command(overlay: str | None, as_json: bool) -> None:
    """Start the platform and tell the story of one problem from its first model to its renewal.

    Every step is verified by reading back from the store, Airflow and the service; the exit code is
    0 only if all of it was found as told. Where PostgreSQL is installed the weather lands in a table
    of a database, else as files. The platform stays up: `perennial down` stops it.

    On a cluster a smaller story is told, of the problem wine, and as often as one likes: its table
    is written to the volume `landing`, a model is made, judged and deployed, bottles are asked
    about, and monitoring judges the day.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    begun = _on_cluster if isinstance(place, ClusterLocation) else _on_machine
    with begun(speech, place, overlay) as (story, facts):
        story.tell()
        _show(speech, story, facts)
    raise SystemExit(0 if story.checks.all_hold else 1)


@contextmanager
def _on_cluster(
    speech: Console, place: PlatformLocation, overlay: str | None
) -> Iterator[tuple[Story, Facts]]:
    assert isinstance(place, ClusterLocation)
    os.environ.setdefault("LANDING", LANDING)
    facts = _start(speech, place, overlay)
    with place.opened() as platform:
        yield Tasting(speech, platform, find_home(), place.land), facts


@contextmanager
def _on_machine(
    speech: Console, place: PlatformLocation, overlay: str | None
) -> Iterator[tuple[Story, Facts]]:
    home = find_home()
    landing = Path(os.environ.setdefault("LANDING", str(home.folder / "landing")))
    if home.data.exists():
        place.up(speech.say, overlay)
        _refuse_told(place, home)
    weather = find_weather(home)
    speech.say(weather.sentence)
    if weather.home != home:
        # Airflow keeps the folder of problems and the sources' names that it was started with.
        place.down(speech.say)
    machine = MachineLocation(weather.home)
    facts = _start(speech, machine, overlay) | {"weather": weather.sentence}
    with machine.opened() as platform:
        outside = Outside(weather.home, landing, weather.table)
        yield Telling(speech, Findings(platform), outside), facts


def _start(speech: Console, place: PlatformLocation, overlay: str | None) -> Facts:
    seconds = place.up(speech.say, overlay)
    speech.say(f"The platform is up ({seconds:.1f} s).")
    return {"ready_seconds": round(seconds, 1)}


def _refuse_told(place: PlatformLocation, home: Home) -> None:
    """See that the story was not told before, and leave everything as it is where it was."""
    with place.opened() as platform:
        if Findings(platform).entries():
            sentence = (
                f"The story of {NAME} was told on this platform before, and time only goes "
                f"forward; `perennial history {NAME}` shows it. To tell it anew: "
                f"`perennial down`, then remove {home.folder}."
            )
            raise AskedWrongly(sentence)


def _show(speech: Console, story: Story, facts: Facts) -> None:
    speech.answer(document(story) | facts | {"exit": 0 if story.checks.all_hold else 1})
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
