"""`perennial why`: the decision of a day in words: verdict, evidence, what happened next."""

from datetime import date

import click

from contract.decision import Decision
from contract.drift import ColumnDrift
from contract.errors import InvalidRequest
from contract.formatting import (
    format_digest,
    format_share,
    format_time,
    format_value,
    plain_text,
)
from contract.labels import SegmentLoss
from contract.ledger_lines import ledger_lines
from contract.performance import Performance, Probe
from contract.store.client import Store
from contract.store.decisions import decided_days, read_decision
from contract.store.ledger import Ledger, LedgerEntry
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import find_problem

COLUMNS_SHOWN = 5  # arbitrary: the rest is on the page


@click.command(cls=Command, example="perennial why churn\nperennial why churn --day 2013-05-20")
@click.argument("name")
@click.option("--day", metavar="DAY", help="Day of the decision. Default: the newest.")
def command(name: str, day: str | None, as_json: bool) -> None:
    """Say what monitoring decided about a day: verdict, reason, evidence, and what happened next."""
    console = Console(as_json=as_json)
    location = resolve_location()
    find_problem(location.problems, name)
    wanted = None if day is None else _day(day)
    with location.connect() as platform:
        store, airflow = platform.store(), platform.links()["airflow"]
        days = decided_days(store, name)
        decision = _find(store, name, days, wanted)
        entries = [] if decision is None else _then(store, decision, days)
    if decision is None:
        console.emit_json({"problem": name, "decision": None, "then": [], "links": {}})
        console.print(
            f"No day of {name} has a decision yet; monitoring makes one a day, once a model serves."
        )
        return
    links = {
        "page": f"{airflow}/perennial/day/{name}__monitoring/{decision.day}",
        "problems": f"{airflow}/perennial/problems",
    }
    console.emit_json(
        {
            "problem": name,
            "decision": decision.model_dump(mode="json"),
            "then": [entry.model_dump(mode="json") for entry in entries],
            "links": links,
        }
    )
    if not as_json:
        _show(console, decision, entries, links)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        sentence = f"--day {text!r} was found; a day is expected, such as 2013-05-20."
        raise InvalidRequest(sentence) from error


def _find(store: Store, name: str, days: list[date], wanted: date | None) -> Decision | None:
    """Return the decision that is meant; None where there is none at all.

    Raises:
        InvalidRequest: that day has none.
    """
    if not days and wanted is None:
        return None
    decision = read_decision(store, name, wanted or days[-1])
    if decision is None:
        known = f"{days[0]} to {days[-1]}" if days else "none"
        sentence = f"{name} has no decision of {wanted}; days with one: {known}."
        raise InvalidRequest(sentence)
    return decision


def _then(store: Store, decision: Decision, days: list[date]) -> list[LedgerEntry]:
    """Return what the ledger says of this decision, and of what it started, oldest first.

    That is what happened until the next decision, and all of the run that has the decision's key.
    """
    later = [day for day in days if day > decision.day]
    after = read_decision(store, decision.problem, later[0]) if later else None
    return [
        entry
        for entry in Ledger(store, decision.problem).entries()
        if (decision.at <= entry.at and (after is None or entry.at < after.at))
        or (decision.key is not None and entry.run.endswith(decision.key))
    ]


def _show(
    console: Console, decision: Decision, entries: list[LedgerEntry], links: dict[str, str]
) -> None:
    verdict = decision.verdict.replace("_", " ")
    model = format_digest(decision.digest, "no model")
    reason = f" ({decision.reason})" if decision.reason else ""
    console.print(f"{decision.problem} on {decision.day}: {verdict}{reason}; {model} served.")
    console.print(decision.sentence)
    console.print(f"Next: {decision.next}\n")
    console.table("Evidence", ["what", "found"], _evidence(decision))
    if decision.effect is not None:
        console.print(decision.effect.sentence)
    for sentence in decision.labels.sentences if decision.labels else ():
        console.print(f"Labels: {sentence}")
    for note in decision.notes:
        console.print(f"Not looked at: {note}")
    console.print("")
    if entries:
        console.table(
            "What happened next",
            ["at", "what", "model", "why"],
            [
                (
                    format_time(line.entry.at),
                    line.entry.kind,
                    format_digest(line.entry.digest),
                    line.reason,
                )
                for line in ledger_lines(entries)
            ],
        )
    else:
        console.print("Nothing was written into the ledger about it.")
    console.print(f"\nPage: {links['page']}")


def _evidence(decision: Decision) -> list[tuple[str, str]]:
    """Return what the decision was made on, the strongest first, as pairs of texts."""
    rows = [(fault.column or "all rows", fault.sentence) for fault in decision.dq]
    if decision.performance is not None:
        rows.append((decision.performance.metric.replace("_", " "), _loss(decision.performance)))
    if decision.probe is not None:
        rows.append(("a quick refit", _gain(decision.probe)))
    rows += [(f"{each.column} = {each.value}", _segment(each)) for each in _worse(decision)]
    rows += [(each.name, _drift(each)) for each in decision.drifted_columns[:COLUMNS_SHOWN]]
    window = decision.window
    rows.append(("rows of the day", format_value(window.rows_of_day)))
    rows.append(("rows in the window", f"{format_value(window.rows)} of {len(window.days)} days"))
    return [(what, plain_text(found)) for what, found in rows]


def _loss(performance: Performance) -> str:
    low, high = format_value(performance.low), format_value(performance.high)
    change = format_share(performance.change, signed=True)
    return (
        f"{format_value(performance.cur)} [{low}, {high}] on "
        f"{format_value(performance.n_labelled)} labelled rows, {performance.first} to "
        f"{performance.last}; {change} of its baseline {format_value(performance.ref)}"
    )


def _gain(probe: Probe) -> str:
    gain = format_share(probe.gain, signed=True)
    return probe.skipped or f"{gain} of the loss saved on {format_value(probe.rows)} rows"


def _worse(decision: Decision) -> list[SegmentLoss]:
    return [each for each in decision.segments if each.is_worse][:COLUMNS_SHOWN]


def _segment(segment: SegmentLoss) -> str:
    return (
        f"loss {format_value(segment.loss)} on {format_value(segment.rows)} rows, "
        f"{format_value(segment.expected)} expected there"
    )


def _drift(column: ColumnDrift) -> str:
    return (
        f"drifted: index {format_value(column.psi_corrected)}, limit "
        f"{format_value(column.limit)}; {format_share(column.importance)} of the importance"
    )
