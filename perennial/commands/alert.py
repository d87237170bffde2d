"""`perennial alert`: what needs a person now, and whether the channels work."""

from typing import Any

import click

from contract.alerts import AlertState
from contract.errors import InvalidRequest
from contract.formatting import MISSING, format_time
from contract.problem import Problem
from contract.store.alert_state import read_alerts
from perennial.commands.shared import follow_run
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.platform import Platform
from perennial.problems.find import load_problem


@click.command(cls=Command, example="perennial alert churn\nperennial alert churn --test")
@click.argument("name")
@click.option("--test", "is_test", is_flag=True, help="Send a test message by every channel.")
def command(name: str, is_test: bool, as_json: bool) -> None:
    """Show what needs a person, and since when; with --test, try every channel.

    A test is sent from where alerts are sent: by Airflow. It says what each channel answered; the
    exit code is 2 where one did not take it.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    problem, _ = load_problem(location.problems, name)
    with location.connect() as platform:
        if is_test:
            answers = _try_channels(console, platform, problem)
        else:
            _show(console, problem, read_alerts(platform.store(), problem.name))
            return
    failed = [answer for answer in answers if not answer["taken"]]
    code = InvalidRequest.exit_code if failed or not answers else 0
    console.emit_json({"problem": problem.name, "channels": answers, "exit": code})
    if not as_json:
        console.table(
            "Channels",
            ["channel", "taken", "answer"],
            [
                (each["channel"], "yes" if each["taken"] else "no", each["answer"])
                for each in answers
            ],
        )
    if not answers:
        console.print(
            f"{problem.name} has no channel; name one under alerts.channels of its problem file, or "
            "set PERENNIAL_WEBHOOK before `perennial up`."
        )
    raise SystemExit(code)


def _try_channels(console: Console, platform: Platform, problem: Problem) -> list[dict[str, Any]]:
    """Start a run that sends a test, wait for it, and return what each channel answered.

    Raises:
        InvalidRequest: the run failed before it sent anything.
    """
    airflow = platform.airflow()
    dag = f"{problem.name}__alerts"
    run = airflow.trigger(dag, {"test": True})
    finished = follow_run(console, airflow, dag, run)
    answers = airflow.xcom(dag, run, "channels")
    if not isinstance(answers, list):
        sentence = f"{dag} ended as {finished.state} and tried no channel; its log says why."
        raise InvalidRequest(sentence)
    return answers


def _show(console: Console, problem: Problem, state: AlertState) -> None:
    names = list(problem.alerts.channels)
    document = state.model_dump(mode="json", include={"open", "outbox"})
    console.emit_json({"problem": problem.name, "channels": names, **document})
    if console.as_json:
        return
    if not state.open:
        console.print(f"Nothing of {problem.name} needs a person.")
    for alert in state.open:
        finding = alert.finding
        console.print(f"since {format_time(alert.since)}: {finding.sentence}")
        if finding.impact:
            console.print(f"  cost: {finding.impact}")
        console.print(f"  to run: {finding.command}")
    waiting = len(state.outbox)
    told = ", ".join(names) or MISSING
    console.print(f"Channels: {told}; {waiting} messages wait.")
