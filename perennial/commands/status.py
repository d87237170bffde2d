"""`perennial status`: components, served models, last runs."""

from dataclasses import asdict
from typing import Any

import click

from contract.errors import TryAgain
from contract.formatting import (
    MISSING,
    format_digest,
    format_score,
    format_time,
    format_value,
    plain_text,
)
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.platform import PlatformStatus
from perennial.problem_status import problem_status
from perennial.problems.find import find_problem


@click.command(cls=Command, example="perennial status\nperennial status churn --json")
@click.argument("name", required=False)
def command(name: str | None, as_json: bool) -> None:
    """Show the platform's components, and of each problem who serves and what was decided last.

    The verdict is monitoring's newest, the last event the newest entry of the ledger; runs are
    named while they are at work, and where they failed. `perennial why NAME` has the evidence.

    Warnings are sentences: a rollout that was interrupted, why the last run failed; on a cluster
    also pods without a node, image, Secret or memory, and pods that crash.

    With --json, problems.NAME.champion.digest is the digest of the model that serves; for one NAME
    it is also champion.digest.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    if name is not None:
        find_problem(location.problems, name)
    with location.connect() as platform:
        status, links = platform.status(), platform.links()
        try:
            names = [name] if name else platform.problems()
            problems = {problem: problem_status(platform, problem) for problem in names}
        except TryAgain as error:
            if not as_json:
                _show_platform(console, status, links)
            raise TryAgain(_with_cause(str(error), status)) from error
    document: dict[str, Any] = {
        "platform": {
            "up": True,
            "waiting_for": status.waiting_for,
            "memory_bytes": status.memory_bytes,
            "components": {
                part: asdict(component) for part, component in status.components.items()
            },
            **links,
        },
        "problems": problems,
    }
    console.emit_json(document | (problems[name] if name else {}))
    if not as_json:
        _show_platform(console, status, links)
        _show_problems(console, problems)


def _with_cause(sentence: str, status: PlatformStatus) -> str:
    """Return the error and the faults of the components that may have caused it."""
    faults = [f"{name} {part.problem}" for name, part in status.components.items() if part.problem]
    return " ".join([sentence, *(f"{fault.rstrip('.')}." for fault in faults)])


def _show_platform(console: Console, status: PlatformStatus, links: dict[str, str]) -> None:
    rows = [
        (name, part.state, part.name, str(part.restarts))
        for name, part in status.components.items()
    ]
    console.table("Platform", ["component", "state", "process", "restarts"], rows)
    for name, part in status.components.items():
        if part.problem and part.state != "running":
            console.print(f"{name} {part.problem}")
    missing, used = status.waiting_for, status.memory_bytes
    memory = "its memory is not known" if used is None else f"{used / 2**20:.0f} MiB"
    console.print(f"{f'waiting for {missing}' if missing else 'all of it answers'}; {memory}")
    password = links.get("password_file") or links["password_command"]
    console.print(f"Airflow: {links['airflow']} (password: {password})\n")


def _show_problems(console: Console, problems: dict[str, Any]) -> None:
    console.table(
        "Problems",
        ["problem", "champion", "since", "serves", "verdict", "last event", "at work"],
        [_row(name, problem) for name, problem in problems.items()],
    )
    for name, problem in problems.items():
        if judged := problem["judged"]:
            console.print(f"{name}: {_judged(judged)}")
        if verdict := problem["verdict"]:
            words = verdict["verdict"].replace("_", " ")
            console.print(f"{name}: {words} on {verdict['day']}: {verdict['sentence']}")
        if event := problem["event"]:
            console.print(f"{name}: {event['kind']}: {event['reason']}")
        for alert in problem["alerts"]:
            since, finding = format_time(alert["since"]), alert["finding"]
            console.print(f"{name}: open since {since}: {finding['sentence']}")
        for sentence in problem["warnings"]:
            console.print(f"{name}: {sentence}")


def _row(name: str, problem: dict[str, Any]) -> tuple[str, ...]:
    champion = problem["champion"] or {}
    event = problem["event"]
    served = problem["service"]["digest"] if problem["service"] else None
    return (
        name,
        format_digest(
            champion.get("digest"), "damaged" if "champion" in problem["damaged"] else "none yet"
        ),
        format_time(champion.get("since")),
        format_digest(served, "nothing"),
        _verdict(problem["verdict"]),
        f"{event['kind']} {format_time(event['at'])}" if event else MISSING,
        _at_work(problem),
    )


def _judged(judged: dict[str, Any]) -> str:
    """Return what let the champion in, by the yardstick and in its unit."""
    score = format_score(judged["score"], judged["unit"])
    measure = f" of {judged['label']}" if judged["unit"] is None else ""
    text = f"the champion was let in with {score}{measure} on {judged['rows']:,} unseen rows"
    if judged["threshold"] is not None:
        text += f"; it decides from {format_value(judged['threshold'])} on"
    return plain_text(f"{text}.")


def _verdict(verdict: dict[str, Any] | None) -> str:
    """Return the newest verdict and its day."""
    return f"{verdict['verdict'].replace('_', ' ')} {verdict['day']}" if verdict else MISSING


def _at_work(problem: dict[str, Any]) -> str:
    """Return the runs that have not ended, or that failed; one that ended well is not at work."""
    runs = {part: problem[part] for part in ("lifecycle", "monitoring")}
    return (
        ", ".join(
            f"{part} {run['state']} {format_time(run['start_date'])}"
            for part, run in runs.items()
            if run and run["state"] != "success"
        )
        or MISSING
    )
