"""`perennial run`: a lifecycle run, from the problem file to a deployed or refused model."""

from typing import Any

import click

from perennial.commands.shared import follow_run, outcome_of, run_conf, run_document
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import load_problem, parse_overrides
from perennial.times import parse_day


@click.command(
    cls=Command,
    example="perennial run churn --window-end 2013-10-01 --set models.budget=60s\n"
    "perennial run churn --no-wait --json",
)
@click.argument("name")
@click.option("--window-start", metavar="T", help="Ignore rows of earlier events.")
@click.option(
    "--window-end", metavar="T", help="End of the data, the run's `now`. Default: its start."
)
@click.option("--reason", metavar="TEXT", help="Reason, kept in the ledger. Default: manual.")
@click.option("--force", is_flag=True, help="Recompute every stage, without the cache.")
@click.option(
    "--replay/--search",
    "replay",
    default=None,
    help="Fit the champion's own plan, without a search. Default: search.",
)
@click.option(
    "--onset",
    metavar="DAY",
    help="First day of the change that the run is about. Default: none is known.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="A key of the problem file."
)
@click.option("--no-wait", is_flag=True, help="Start the run and return.")
def command(  # noqa: PLR0917 - click passes by name
    name: str,
    window_start: str | None,
    window_end: str | None,
    reason: str | None,
    force: bool,
    replay: bool | None,
    onset: str | None,
    overrides: tuple[str, ...],
    no_wait: bool,
    as_json: bool,
) -> None:
    """Run the lifecycle of a problem through Airflow, show it live, and say who serves at its end.

    A challenger that was refused, or taken back, while a champion serves is a success (exit 0). The
    exit code is 3 where no model serves afterwards, or a stage refuses its data; 2 for an invalid
    request, 75 where store or network stay unreachable.
    """
    console = Console(as_json=as_json)
    overridden = parse_overrides(overrides)
    location = resolve_location()
    problem, _ = load_problem(location.problems, name, overridden)
    conf = run_conf(problem.timezone, window_start, window_end)
    conf |= {"reason": reason} if reason else {}
    conf |= {"force": True} if force else {}
    conf |= {} if replay is None else {"replay": replay}
    conf |= {} if onset is None else {"onset": str(parse_day(onset, "--onset"))}
    conf |= {"set": overridden} if overridden else {}
    with location.connect() as platform:
        platform.check_problem(problem)
        airflow = platform.airflow()
        dag = f"{problem.name}__lifecycle"
        run = airflow.trigger(dag, conf)
        if no_wait:
            started = {"problem": problem.name, "dag": dag, "run": run, "state": "queued"}
            console.emit_json(started)
            if not as_json:
                console.print(f"{dag}: run {run} is queued.")
            return
        finished = follow_run(console, airflow, dag, run)
        outcome = outcome_of(finished, platform, problem.name)
    document: dict[str, Any] = run_document(problem.name, finished)
    verdict = finished.step("evaluation")
    document["verdict"] = verdict.outcome if verdict else None
    document["outcome"] = outcome and outcome.word
    document["sentence"] = outcome and outcome.sentence
    exit_code = finished.exit_code or (outcome.exit_code if outcome else 0)
    document["exit"] = exit_code
    console.emit_json(document)
    if not as_json and verdict:
        console.print(f"The gate's verdict: {verdict.outcome}.")
    if not as_json and outcome:
        console.print(outcome.sentence)
    raise SystemExit(exit_code)
