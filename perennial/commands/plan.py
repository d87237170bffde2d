"""`perennial plan`: what a problem file means, and what would run."""

import contextlib
from typing import Any

import click

from contract.errors import AskedWrongly, TryAgain
from perennial.config import find_place
from perennial.console import Command, Console
from perennial.problems.effective_plan import rows_expected, settings, stages
from perennial.problems.find import load_problem, parse_overrides


@click.command(cls=Command, example="perennial plan churn --set models.budget=60s")
@click.argument("name", metavar="NAME|FILE")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As for `run`.")
def command(name: str, overrides: tuple[str, ...], as_json: bool) -> None:
    """Print the effective problem, each default with its reason, and the stages that would run.

    Works offline; where the platform is up, the rows of the last collection are counted as well.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    problem, file = load_problem(place.problems, name, parse_overrides(overrides))
    found = settings(problem)
    steps = stages(problem)
    rows: dict[str, int | None] = dict.fromkeys(problem.source)
    # Offline is the usual case: "unknown" is then the honest answer.
    with contextlib.suppress(AskedWrongly, TryAgain), place.opened() as platform:
        rows |= rows_expected(platform.store(), problem)
    document: dict[str, Any] = {
        "name": problem.name,
        "file": str(file),
        "problem": problem.model_dump(mode="json", by_alias=True),
        "settings": [setting.model_dump(mode="json") for setting in found],
        "stages": [{"stage": stage, "does": text} for stage, text in steps],
        "rows_expected": rows,
    }
    speech.answer(document)
    speech.table(
        f"{problem.name}: {problem.question}",
        ["key", "value", "", "meaning, and why this default"],
        [(one.key, one.value, "given" if one.given else "default", one.why) for one in found],
    )
    speech.table("\nWhat runs", ["stage", "does"], steps)
    expected = {name: "unknown" if count is None else f"{count:,}" for name, count in rows.items()}
    speech.table("\nRows expected", ["source", "rows"], list(expected.items()))
