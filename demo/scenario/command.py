"""`perennial demo`: the whole cycle on 2013's flights, verified; on a cluster, on wines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from contract.errors import InvalidRequest
from contract.formatting import format_digest, format_time
from demo.scenario import postgres
from demo.scenario.checks import Scenario, document
from demo.scenario.cluster_landing import LANDING, land
from demo.scenario.findings import NAME, PlatformFindings
from demo.scenario.flights_scenario import FlightsScenario
from demo.scenario.other_tables import land_tables
from demo.scenario.weather_source import choose_weather_source
from demo.scenario.wine_scenario import WineScenario
from demo.scenario.world import OutsideWorld
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.kubernetes.cluster_location import ClusterLocation
from perennial.local.home import Home, find_home
from perennial.local.machine_location import MachineLocation
from perennial.platform import PlatformLocation

Facts = dict[str, object]


@click.command(cls=Command, example="perennial demo\nperennial --on kubernetes demo")
@click.option("--overlay", metavar="NAME|PATH", help="Of a cluster, as for `up`.")
def command(overlay: str | None, as_json: bool) -> None:
    """Start the platform and take one problem from its first model to a retrained one.

    Every step is verified by what the store, Airflow and the service say; the exit code is 0 only if
    every claim holds. A challenger that is no better is refused, one that is better is promoted, and
    the last line says what the loop earned. Where PostgreSQL is installed the weather lands in a
    table of a database, else as files. Data of the problems wine and hotel land as well, to be run
    afterwards. The platform stays up: `perennial down` stops it.

    On a cluster a smaller scenario runs, of the problem wine, and as often as one likes: its table
    is written to the volume `landing`, a model is trained, evaluated and deployed, predictions are
    requested, and monitoring checks the day.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    open_scenario = _on_cluster if isinstance(location, ClusterLocation) else _on_machine
    with open_scenario(console, location, overlay) as (scenario, facts):
        scenario.run()
        _show(console, scenario, facts)
    raise SystemExit(0 if scenario.verification.all_hold else 1)


@contextmanager
def _on_cluster(
    console: Console, location: PlatformLocation, overlay: str | None
) -> Iterator[tuple[Scenario, Facts]]:
    assert isinstance(location, ClusterLocation)
    os.environ.setdefault("LANDING", LANDING)
    facts = _start(console, location, overlay)
    write_files = partial(land, location.kubectl, "land")
    with location.connect() as platform:
        yield WineScenario(console, platform, find_home(), write_files), facts


@contextmanager
def _on_machine(
    console: Console, location: PlatformLocation, overlay: str | None
) -> Iterator[tuple[Scenario, Facts]]:
    home = find_home()
    landing = Path(os.environ.setdefault("LANDING", str(home.folder / "landing")))
    if home.data.exists():
        if postgres.exists(home):
            choose_weather_source(home)  # gives the platform what an earlier version kept elsewhere
        location.up(console.print, overlay)
        _refuse_second_run(location, home)
    weather = choose_weather_source(home)
    console.print(weather.sentence)
    if weather.home != home:
        # Airflow keeps the folders of problems and the sources' names that it was started with.
        location.down(console.print)
    machine = MachineLocation(weather.home)
    facts = _start(console, machine, overlay) | {"weather": weather.sentence}
    with machine.connect() as platform:
        for sentence in land_tables(weather.home, landing):
            console.print(sentence)
        world = OutsideWorld(weather.home, landing, weather.table)
        yield FlightsScenario(console, PlatformFindings(platform), world), facts


def _start(console: Console, location: PlatformLocation, overlay: str | None) -> Facts:
    seconds = location.up(console.print, overlay)
    console.print(f"The platform is up ({seconds:.1f} s).")
    return {"ready_seconds": round(seconds, 1)}


def _refuse_second_run(location: PlatformLocation, home: Home) -> None:
    """See that the scenario did not run before; change nothing.

    Raises:
        InvalidRequest: it did.
    """
    with location.connect() as platform:
        if PlatformFindings(platform).entries():
            sentence = (
                f"The demo of {NAME} ran on this platform before, and time only goes forward; "
                f"`perennial history {NAME}` shows it. To run it again: `perennial down`, then "
                f"remove {home.folder}."
            )
            raise InvalidRequest(sentence)


def _show(console: Console, scenario: Scenario, facts: Facts) -> None:
    claims = scenario.verification.claims
    exit_code = 0 if scenario.verification.all_hold else 1
    console.emit_json(document(scenario) | facts | {"exit": exit_code})
    console.table(
        f"What {scenario.name} served when, and why",
        ["at", "what", "model", "before", "why"],
        [
            (
                format_time(entry.at),
                entry.kind,
                format_digest(entry.digest),
                format_digest(entry.previous),
                entry.reason,
            )
            for entry in scenario.entries()
        ],
    )
    console.table(
        "Verified",
        ["", "claim", "found"],
        [("yes" if claim.holds else "NO", claim.claim, claim.found) for claim in claims],
    )
    console.table("Where to look", ["", ""], list(scenario.links().items()))
    if last_line := scenario.last_line():
        console.print(last_line)
