"""`perennial monitor`: check the served model now, and retrain it if that would help."""

import click

from perennial.commands.shared import follow_run, run_conf, run_document
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.find import load_problem


@click.command(cls=Command, example="perennial monitor churn --window-end 2013-10-08")
@click.argument("name")
@click.option(
    "--window-end", metavar="T", help="End of the data, the run's `now`. Default: its start."
)
@click.option("--no-wait", is_flag=True, help="Start the run and return.")
def command(name: str, window_end: str | None, no_wait: bool, as_json: bool) -> None:
    """Run the monitoring of a problem through Airflow for every day that has no verdict yet.

    Where the verdict is `retrain` and the problem's `retraining.mode` allows it, the lifecycle is
    started; its run is named and not waited for.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    problem, _ = load_problem(location.problems, name)
    conf = run_conf(problem.timezone, None, window_end)
    with location.connect() as platform:
        platform.check_problem(problem)
        airflow = platform.airflow()
        dag = f"{problem.name}__monitoring"
        run = airflow.trigger(dag, conf)
        if no_wait:
            console.emit_json({"problem": problem.name, "dag": dag, "run": run, "state": "queued"})
            if not as_json:
                console.print(f"{dag}: run {run} is queued.")
            return
        finished = follow_run(console, airflow, dag, run)
    verdict = finished.step("monitoring")
    retraining = finished.step("retraining")
    document = run_document(problem.name, finished)
    document["verdict"] = verdict.outcome if verdict else None
    document["reason"] = verdict.facts.get("reason") if verdict else None
    document["sentence"] = verdict.facts.get("sentence") if verdict else None
    document["started"] = f"{problem.name}__lifecycle" if retraining else None
    console.emit_json(document)
    if not as_json and verdict:
        sentence = verdict.facts.get("sentence")
        console.print(f"The verdict: {verdict.outcome}{f': {sentence}' if sentence else '.'}")
        if retraining:
            console.print(f"{problem.name}__lifecycle was started; `perennial status` follows it.")
        console.print(f"Evidence and what follows: `perennial why {problem.name}`.")
    raise SystemExit(finished.exit_code)
