"""The page of the alerts: what needs a person, what it costs, and what to run."""

from datetime import datetime

from contract.alerts import AlertState
from contract.problem import Problem
from pages import Alert, PageSection, Status, TableBlock, render


def page(problem: Problem, state: AlertState, now: datetime) -> str:
    """Return the HTML of the open alerts, the newest last."""
    is_open = bool(state.open)
    lead = (
        f"{len(state.open)} open: {state.open[-1].finding.sentence}"
        if is_open
        else "Nothing needs a person."
    )
    rows: list[list[object]] = [
        [
            alert.finding.kind.replace("_", " "),
            alert.since,
            alert.finding.sentence,
            alert.finding.impact,
            alert.finding.column,
            alert.finding.command,
        ]
        for alert in state.open
    ]
    columns = ["what", "since", "found", "cost", "column", "what to run"]
    told = ", ".join(problem.alerts.channels) or "nobody: the problem file names no channel"
    return render(
        f"Alerts of {problem.name}",
        status=Status("bad" if is_open else "good", "open" if is_open else "quiet"),
        lead=lead,
        sections=[
            PageSection("What needs a person", TableBlock(columns, rows, empty="Nothing does.")),
            PageSection(
                "Who is told",
                Alert("neutral", f"Channels: {told}. {len(state.outbox)} messages wait."),
            ),
        ],
        footer={"problem": problem.name, "owner": problem.owner, "as of": now},
    )
