"""`perennial history`: which model was served when, and why."""

from datetime import datetime

import click

from contract.formatting import (
    MISSING,
    format_digest,
    format_score,
    format_time,
    format_value,
    plain_text,
)
from contract.ledger_lines import ledger_lines
from contract.store.client import Store
from contract.store.ledger import Ledger
from contract.store.service_history import served_at, verdict_of
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import find_problem, load_problem
from perennial.times import parse_time


@click.command(
    cls=Command, example="perennial history churn\nperennial history churn --at 2013-05-20T12:00"
)
@click.argument("name")
@click.option("--at", "moment", metavar="T", help="Only the model that served at this time.")
def command(name: str, moment: str | None, as_json: bool) -> None:
    """Print the ledger of a problem: every deployment, refusal, return and rollback, oldest first.

    A fault of the data that was written down on several days in a row is one line; with --json all
    entries are printed. With --at: which model served then, since when, why, and under which verdict.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    if moment is not None:
        problem, _ = load_problem(location.problems, name)
        at = parse_time(moment, problem.timezone, "--at")
        with location.connect() as platform:
            _served(console, platform.store(), problem.name, at)
        return
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


def _served(console: Console, store: Store, name: str, at: datetime) -> None:
    """Print which model served at a time, and the verdict that let it in."""
    served = served_at(Ledger(store, name).entries(), at)
    verdict = None if served is None else verdict_of(store, name, served)
    console.emit_json(
        {
            "problem": name,
            "at": at.isoformat(),
            "served": served and served.model_dump(mode="json"),
            "verdict": verdict and verdict.model_dump(mode="json"),
        }
    )
    if console.as_json:
        return
    if served is None:
        console.print(f"No model served {name} at {format_time(at)}.")
        return
    until = f"until {format_time(served.until)}" if served.until else "and serves still"
    console.print(
        f"{format_digest(served.digest)} served {name} at {format_time(at)}: since "
        f"{format_time(served.since)}, {until}."
    )
    console.print(f"Why: {served.reason}")
    by = f", by {served.by}" if served.by else ""
    console.print(f"Run: {served.run}{by}")
    if verdict is None:
        console.print("Verdict: none is kept; a rollback has none, and old runs are removed.")
        return
    against = format_digest(verdict.baseline, "no model before")
    console.print(
        f"Verdict: {verdict.verdict} as {verdict.rule}, against {against}; {verdict.metric} "
        f"{format_value(verdict.score, 4)} on {format_value(verdict.rows)} rows."
    )
    yardstick = verdict.yardstick
    if yardstick is not None and yardstick.gain is not None:
        gain = format_score(
            yardstick.gain, yardstick.unit, yardstick.low, yardstick.high, signed=True
        )
        console.print(plain_text(f"Gain: {gain}."))
