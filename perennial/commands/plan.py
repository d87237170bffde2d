"""`perennial plan`: the effective settings of a problem file, and the stages that would run."""

import contextlib
from typing import Any

import click

from contract.errors import InvalidRequest, TryAgain
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.problems.effective_plan import rows_expected, settings, stages
from perennial.problems.find import load_problem, parse_overrides


@click.command(cls=Command, example="perennial plan churn --set models.budget=60s")
@click.argument("name", metavar="NAME|FILE")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As for `run`.")
def command(name: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Print the effective problem, each default with its reason, and the stages that would run.

    Works offline; where the platform is up, the rows of the last collection are shown as well.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    problem, file = load_problem(location.problems, name, parse_overrides(overrides))
    effective = settings(problem)
    steps = stages(problem)
    rows: dict[str, int | None] = dict.fromkeys(problem.source)
    # Offline is the usual case: the counts are then unknown.
    with contextlib.suppress(InvalidRequest, TryAgain), location.connect() as platform:
        rows |= rows_expected(platform.store(), problem)
    document: dict[str, Any] = {
        "name": problem.name,
        "file": str(file),
        "problem": problem.model_dump(mode="json", by_alias=True),
        "settings": [setting.model_dump(mode="json") for setting in effective],
        "stages": [{"stage": stage, "does": text} for stage, text in steps],
        "rows_expected": rows,
    }
    console.emit_json(document)
    console.table(
        f"{problem.name}: {problem.question}",
        ["key", "value", "", "meaning, and why this default"],
        [
            (
                setting.key,
                setting.value,
                "given" if setting.given else "default",
                setting.why,
            )
            for setting in effective
        ],
    )
    console.table("\nWhat runs", ["stage", "does"], steps)
    expected = {name: "unknown" if count is None else f"{count:,}" for name, count in rows.items()}
    console.table("\nRows expected", ["source", "rows"], list(expected.items()))
