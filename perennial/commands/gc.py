"""`perennial gc`: remove what nobody needs any more."""

import click

from contract.errors import TryAgain
from perennial.clients.airflow_api import ENDED, Airflow
from perennial.config import find_place
from perennial.console import Command, Console
from perennial.garbage import delete, find_garbage
from perennial.problems.find import find_problem

KEPT_RUNS = 20  # arbitrary: three weeks of nightly runs can be looked at


@click.command(
    cls=Command, example="perennial gc churn\nperennial gc churn --keep-runs 50 --delete"
)
@click.argument("name")
@click.option("--keep-runs", default=KEPT_RUNS, show_default=True, help="Of the newest runs.")
@click.option("--delete", "is_meant", is_flag=True, help="Delete; without it nothing is changed.")
def command(name: str, keep_runs: int, is_meant: bool, as_json: bool) -> None:
    """Print which runs, models and landed files could go; delete them only when told.

    Kept: the champion, every model and run that the ledger says was served, the newest runs and all
    that they name. Predictions, feedback, monitoring and the ledger are never touched.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    find_problem(place.problems, name)
    with place.opened() as platform:
        store = platform.store()
        if is_meant:
            _refuse_while_running(platform.airflow(), name)
        garbage = find_garbage(store, name, keep_runs, platform.pinned(name))
        if is_meant:
            delete(store, garbage)
    speech.answer({"problem": name, "deleted": is_meant, **garbage.model_dump(mode="json")})
    rows = [
        ("runs", str(len(garbage.runs)), str(len(garbage.kept_runs))),
        ("models", str(len(garbage.models)), str(len(garbage.kept_models))),
        ("landed files", str(len(garbage.parts)), "-"),
    ]
    speech.table("", ["", "deleted" if is_meant else "could go", "kept"], rows)
    if not as_json:
        size = f"{len(garbage.keys):,} objects, {garbage.bytes / 1e6:,.1f} MB"
        speech.say(f"{size} {'were deleted' if is_meant else 'could go; --delete removes them'}.")


def _refuse_while_running(airflow: Airflow, name: str) -> None:
    """See that no run writes now: what it has written is named by nothing yet.

    Raises:
        TryAgain: one does.
    """
    for part in ("lifecycle", "monitoring"):
        for run in airflow.runs(f"{name}__{part}"):
            if run.state not in ENDED:
                sentence = (
                    f"The run {run.dag_run_id} of {name}__{part} is {run.state}; wait for it."
                )
                raise TryAgain(sentence)
