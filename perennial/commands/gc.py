"""`perennial gc`: delete runs, models and landed files that are no longer referenced."""

import click

from contract.errors import TryAgain
from contract.formatting import format_bytes, format_value, plain_text
from perennial.clients.airflow_api import ENDED, Airflow
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.garbage import delete, find_garbage
from perennial.problems.find import find_problem

KEPT_RUNS = 20  # arbitrary: about three weeks of nightly runs


@click.command(
    cls=Command, example="perennial gc churn\nperennial gc churn --keep-runs 50 --delete"
)
@click.argument("name")
@click.option(
    "--keep-runs", default=KEPT_RUNS, show_default=True, help="Number of newest runs to keep."
)
@click.option(
    "--delete", "is_deleting", is_flag=True, help="Delete; without it nothing is changed."
)
def command(name: str, keep_runs: int, is_deleting: bool, as_json: bool) -> None:
    """Print which runs, models and landed files can be deleted; delete them with --delete.

    Kept: the champion, every model and run that was served according to the ledger, the newest runs
    and everything they reference. Predictions, feedback, monitoring and the ledger are never touched.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    find_problem(location.problems, name)
    with location.connect() as platform:
        store = platform.store()
        if is_deleting:
            _refuse_while_running(platform.airflow(), name)
        garbage = find_garbage(store, name, keep_runs, platform.pinned(name))
        if is_deleting:
            delete(store, garbage)
    console.emit_json({"problem": name, "deleted": is_deleting, **garbage.model_dump(mode="json")})
    rows = [
        ("runs", str(len(garbage.runs)), str(len(garbage.kept_runs))),
        ("models", str(len(garbage.models)), str(len(garbage.kept_models))),
        ("landed files", str(len(garbage.parts)), "-"),
    ]
    console.table("", ["", "deleted" if is_deleting else "can be deleted", "kept"], rows)
    if not as_json:
        size = (
            f"{format_value(len(garbage.keys))} objects, {plain_text(format_bytes(garbage.bytes))}"
        )
        console.print(
            f"{size} {'were deleted' if is_deleting else 'can be deleted with --delete'}."
        )


def _refuse_while_running(airflow: Airflow, name: str) -> None:
    """Check that no run is active: what it has written is not referenced yet.

    Raises:
        TryAgain: a run is active.
    """
    for part in ("lifecycle", "monitoring"):
        for run in airflow.runs(f"{name}__{part}"):
            if run.state not in ENDED:
                sentence = (
                    f"The run {run.dag_run_id} of {name}__{part} is {run.state}; wait for it."
                )
                raise TryAgain(sentence)
