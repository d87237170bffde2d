"""`perennial rehearse`: many days of a problem through the real stages, to see what would happen."""

import click

from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.local.home import find_home
from perennial.problems.find import load_problem, parse_overrides
from perennial.rehearsals import RehearsalOptions, run_rehearsal, write_request

SCENARIOS = (
    "stationary, step, trend, season, concept, base-rate, segment, noise, late-1, late-7, late-30, "
    "late-90, labels-stop, outage, feed-unit, feed-null, feed-sign, feed-shuffled; history: the "
    "landed days themselves"
)


@click.command(
    cls=Command,
    example="perennial rehearse churn --days 365 --scenario concept\n"
    "perennial rehearse churn --scenario history --policy probe_gain=0.05",
)
@click.argument("name")
@click.option(
    "--days",
    type=click.IntRange(min=1),
    default=365,
    show_default=True,
    help="Days that a model serves.",
)
@click.option("--scenario", default="stationary", show_default=True, help=SCENARIOS)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="KEY=VALUE",
    help="A threshold of the retrain controller; repeatable.",
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As for `run`.")
@click.option("--history", type=click.IntRange(min=7), help="Days that the first model learns.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of everything drawn: another one is another year.",
)
@click.option(
    "--budget",
    metavar="CPU",
    default="20s",
    show_default=True,
    help="CPU time of the first model's search; retrainings replay its plan.",
)
def command(  # noqa: PLR0917 - click passes each option by its name
    name: str,
    days: int,
    scenario: str,
    policies: tuple[str, ...],
    overrides: tuple[str, ...],
    history: int | None,
    seed: int,
    budget: str,
    as_json: bool,
) -> None:
    """Rehearse days of a problem through the real stages, in a store of their own.

    Days are drawn by weekday from the rows that have landed, with labels drawn from a model of
    them; a scenario changes rows, labels or feeds. Nothing of the platform is changed. A rehearsal
    that was ended goes on when the same command is given again; its page is named at the end.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    problem, file = load_problem(location.problems, name, parse_overrides(overrides))
    options = RehearsalOptions(
        days=days,
        scenario=scenario,
        policy=parse_overrides(policies, "--policy"),
        history=history,
        seed=seed,
        budget=budget,
    )
    home = find_home()
    with location.connect() as platform:
        request = write_request(home, platform.store(), problem, file, options)
    result = run_rehearsal(home, request, console)
    console.emit_json({**result.model_dump(mode="json"), "promoted": result.promoted})
    console.table(
        f"\n{result.problem}, {result.scenario}: {result.says}",
        ["day", "reason", "outcome", "why"],
        [(str(run.day), run.reason, run.outcome, run.sentence) for run in result.asked],
    )
    if not as_json:
        console.print(result.sentence)
        console.print(f"The page: {result.page}")
