"""`perennial rollback`: serve an earlier model again."""

import click

from perennial.moments import parse_moment
from perennial.platform.access import open_platform
from perennial.platform.home import find_home
from perennial.problems import load_problem
from perennial.rolling_back import Wish, roll_back
from perennial.service import find_service
from perennial.speech import Speech, Spoken


@click.command(
    cls=Spoken, example="perennial rollback flights\nperennial rollback flights --to 3fa9c1"
)
@click.argument("name")
@click.option("--to", "digest", metavar="DIGEST", help="Its first digits. Default: the one before.")
@click.option("--reason", default="by hand", metavar="WORDS", help="Why; the ledger keeps it.")
@click.option("--at", metavar="T", help="In the problem's own time. Default: now.")
def command(name: str, digest: str | None, reason: str, at: str | None, as_json: bool) -> None:
    """Move the service, then the champion, to an earlier model of the ledger, and write it down.

    The model must be in the store; the service must answer with it before the champion moves.
    """
    speech = Speech(as_json=as_json)
    problem, _ = load_problem(find_home().problems, name)
    moment = parse_moment(at, problem.timezone, "--at") if at else None
    platform = open_platform(find_home())
    store = platform.store()
    wish = Wish(problem=problem.name, to=digest, reason=reason, at=moment)
    key = platform.credentials.api_key

    def served() -> str | None:
        service = find_service(store, problem.name, key)
        return service.digest() if service else None

    done = roll_back(store, wish, served)
    speech.answer({"problem": problem.name, **done.model_dump(mode="json")})
    if not as_json:
        before = done.previous[:12] if done.previous else "nothing"
        speech.say(f"{problem.name} serves {done.digest[:12]} again; before it was {before}.")
