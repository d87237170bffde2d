"""`perennial rollback`: serve an earlier model again."""

import getpass
import os

import click

from contract.formatting import format_digest
from perennial.config import resolve_location
from perennial.console import Command, Console
from perennial.model_rollback import RollbackRequest, roll_back
from perennial.problems.find import load_problem
from perennial.times import parse_time


@click.command(
    cls=Command, example="perennial rollback churn\nperennial rollback churn --to 3fa9c1"
)
@click.argument("name")
@click.option(
    "--to",
    "digest",
    metavar="DIGEST",
    help="First digits of the model's digest. Default: the model before.",
)
@click.option("--reason", default="by hand", metavar="TEXT", help="Reason, kept in the ledger.")
@click.option("--at", metavar="T", help="Time of the entry in the ledger. Default: now.")
def command(name: str, digest: str | None, reason: str, at: str | None, as_json: bool) -> None:
    """Move the service, then the champion, to an earlier model of the ledger, and record it there.

    The model must be in the store; the service must answer with it before the champion moves.
    If champion.json cannot be read, it is written again with the model that --to names.
    The ledger records your login on this machine as `by`.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    problem, _ = load_problem(location.problems, name)
    moment = parse_time(at, problem.timezone, "--at") if at else None
    request = RollbackRequest(problem=problem.name, to=digest, reason=reason, at=moment, by=login())
    with location.connect() as platform:
        done = roll_back(platform.store(), request, platform.rollout_target(problem.name))
    console.emit_json({"problem": problem.name, **done.model_dump(mode="json")})
    if not as_json:
        before = format_digest(done.previous, "nothing")
        console.print(
            f"{problem.name} serves {format_digest(done.digest)} again; before it was {before}."
        )


def login() -> str:
    """Return the user's login on this machine; `uid NUMBER` where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
