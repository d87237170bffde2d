"""`perennial run`: a lifecycle run, from the problem file to a deployed model or a reason why not."""

from typing import Any

import click

from perennial.commands.shared import conf_of, follow_run, run_document
from perennial.config import find_place
from perennial.console import Command, Console
from perennial.problems.find import load_problem, parse_overrides


@click.command(
    cls=Command,
    example="perennial run churn --window-end 2013-10-01 --set models.budget=60s\n"
    "perennial run churn --no-wait --json",
)
@click.argument("name")
@click.option("--window-start", metavar="T", help="Leave out rows of earlier events.")
@click.option("--window-end", metavar="T", help="`now` for the whole run. Default: its start.")
@click.option("--reason", metavar="WORDS", help="Why; the ledger keeps it. Default: manual.")
@click.option("--force", is_flag=True, help="Make everything anew, without any cache.")
@click.option(
    "--replay/--search",
    "replay",
    default=None,
    help="Fit the champion's own plan, without a search. Default: search.",
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
    overrides: tuple[str, ...],
    no_wait: bool,
    as_json: bool,
) -> None:
    """Run the lifecycle of a problem through Airflow and show it live.

    The gate's verdict is shown; a refused model is a good end (exit 0). A stage that refuses its
    data makes exit 3, one that was asked wrongly 2, one that gave up on store or network 75.
    """
    speech = Console(as_json=as_json)
    changed = parse_overrides(overrides)
    place = find_place()
    problem, _ = load_problem(place.problems, name, changed)
    conf = conf_of(problem.timezone, window_start, window_end)
    conf |= {"reason": reason} if reason else {}
    conf |= {"force": True} if force else {}
    conf |= {} if replay is None else {"replay": replay}
    conf |= {"set": changed} if changed else {}
    with place.opened() as platform:
        platform.check_problem(problem)
        airflow = platform.airflow()
        dag = f"{problem.name}__lifecycle"
        run = airflow.trigger(dag, conf)
        if no_wait:
            started = {"problem": problem.name, "dag": dag, "run": run, "state": "queued"}
            speech.answer(started)
            if not as_json:
                speech.say(f"{dag}: run {run} is queued.")
            return
        followed = follow_run(speech, airflow, dag, run)
    document: dict[str, Any] = run_document(problem.name, followed)
    verdict = followed.step("evaluation")
    document["verdict"] = verdict.outcome if verdict else None
    speech.answer(document)
    if not as_json and verdict:
        speech.say(f"The gate's verdict: {verdict.outcome}.")
    raise SystemExit(followed.exit_code)
