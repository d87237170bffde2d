"""`perennial monitor`: judge the served model now, and start its renewal if that would help."""

import click

from perennial.commands.shared import conf_of, follow_run, run_document
from perennial.config import find_place
from perennial.console import Command, Console
from perennial.problems.find import load_problem


@click.command(cls=Command, example="perennial monitor churn --window-end 2013-10-08")
@click.argument("name")
@click.option("--window-end", metavar="T", help="`now` for the whole run. Default: its start.")
@click.option("--no-wait", is_flag=True, help="Start the run and return.")
def command(name: str, window_end: str | None, no_wait: bool, as_json: bool) -> None:
    """Run the monitoring of a problem through Airflow: every day that has no verdict yet is judged.

    Where the verdict is `retrain` and the problem says so, the lifecycle is started; its run is
    named and not waited for.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    problem, _ = load_problem(place.problems, name)
    conf = conf_of(problem.timezone, None, window_end)
    with place.opened() as platform:
        platform.check_problem(problem)
        airflow = platform.airflow()
        dag = f"{problem.name}__monitoring"
        run = airflow.trigger(dag, conf)
        if no_wait:
            speech.answer({"problem": problem.name, "dag": dag, "run": run, "state": "queued"})
            if not as_json:
                speech.say(f"{dag}: run {run} is queued.")
            return
        followed = follow_run(speech, airflow, dag, run)
    verdict = followed.step("monitoring")
    renewal = followed.step("retraining")
    document = run_document(problem.name, followed)
    document["verdict"] = verdict.outcome if verdict else None
    document["reason"] = verdict.facts.get("reason") if verdict else None
    document["started"] = f"{problem.name}__lifecycle" if renewal else None
    speech.answer(document)
    if not as_json and verdict:
        speech.say(f"The verdict: {verdict.outcome}.")
        if renewal:
            speech.say(f"{problem.name}__lifecycle was started; `perennial status` follows it.")
    raise SystemExit(followed.exit_code)
