"""`perennial rollback`: serve an earlier model again."""

import getpass
import os

import click

from perennial.config import find_place
from perennial.console import Command, Console
from perennial.model_rollback import RollbackRequest, roll_back
from perennial.problems.find import load_problem
from perennial.times import parse_moment


@click.command(
    cls=Command, example="perennial rollback churn\nperennial rollback churn --to 3fa9c1"
)
@click.argument("name")
@click.option("--to", "digest", metavar="DIGEST", help="Its first digits. Default: the one before.")
@click.option("--reason", default="by hand", metavar="WORDS", help="Why; the ledger keeps it.")
@click.option("--at", metavar="T", help="In the problem's own time. Default: now.")
def command(name: str, digest: str | None, reason: str, at: str | None, as_json: bool) -> None:
    """Move the service, then the champion, to an earlier model of the ledger, and write it down.

    The model must be in the store; the service must answer with it before the champion moves.
    A champion.json that cannot be read is written anew, where --to names the model.
    The ledger keeps your login on this machine as `by`.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    problem, _ = load_problem(place.problems, name)
    moment = parse_moment(at, problem.timezone, "--at") if at else None
    request = RollbackRequest(problem=problem.name, to=digest, reason=reason, at=moment, by=login())
    with place.opened() as platform:
        done = roll_back(platform.store(), request, platform.rollout_target(problem.name))
    speech.answer({"problem": problem.name, **done.model_dump(mode="json")})
    if not as_json:
        before = done.previous[:12] if done.previous else "nothing"
        speech.say(f"{problem.name} serves {done.digest[:12]} again; before it was {before}.")


def login() -> str:
    """Return the login of the person at this machine; the number of one without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
