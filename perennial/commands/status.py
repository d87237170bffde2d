"""`perennial status`: what is up, which model serves, what ran last."""

from dataclasses import asdict
from typing import Any

import click

from contract.errors import TryAgain
from perennial.config import find_place
from perennial.console import Command, Console, plain
from perennial.platform import Condition
from perennial.problem_status import standing
from perennial.problems.find import find_problem
from perennial.times import written


@click.command(cls=Command, example="perennial status\nperennial status churn --json")
@click.argument("name", required=False)
def command(name: str | None, as_json: bool) -> None:
    """Show the platform's parts, and of each problem the champion, its service, its last runs.

    What waits for a person is said in a sentence: a rollout that was cut short, why the last run
    failed; on a cluster also pods without room, image, Secret or memory, and pods that crash.

    With --json, problems.NAME.champion.digest is the digest of the model that serves; for one NAME
    it is also champion.digest.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    if name is not None:
        find_problem(place.problems, name)
    with place.opened() as platform:
        condition, links = platform.condition(), platform.links()
        try:
            names = [name] if name else platform.problems()
            problems = {one: standing(platform, one) for one in names}
        except TryAgain as error:
            if not as_json:
                _show_platform(speech, condition, links)
            raise TryAgain(_with_cause(str(error), condition)) from error
    document: dict[str, Any] = {
        "platform": {
            "up": True,
            "waiting_for": condition.waiting_for,
            "memory_bytes": condition.memory_bytes,
            "components": {part: asdict(state) for part, state in condition.components.items()},
            **links,
        },
        "problems": problems,
    }
    speech.answer(document | (problems[name] if name else {}))
    if not as_json:
        _show_platform(speech, condition, links)
        _show_problems(speech, problems)


def _with_cause(sentence: str, condition: Condition) -> str:
    """Return what did not answer, and what is wrong with the parts behind it."""
    wrong = [
        f"{name} {part.problem}" for name, part in condition.components.items() if part.problem
    ]
    return " ".join([sentence, *(f"{one.rstrip('.')}." for one in wrong)])


def _show_platform(speech: Console, condition: Condition, links: dict[str, str]) -> None:
    rows = [
        (name, part.state, part.name, str(part.restarts))
        for name, part in condition.components.items()
    ]
    speech.table("Platform", ["component", "state", "process", "restarts"], rows)
    for name, part in condition.components.items():
        if part.problem and part.state != "running":
            speech.say(f"{name} {part.problem}")
    lacking, used = condition.waiting_for, condition.memory_bytes
    memory = "its memory is not known" if used is None else f"{used / 2**20:.0f} MiB"
    speech.say(f"{f'waiting for {lacking}' if lacking else 'all of it answers'}; {memory}")
    password = links.get("password_file") or links["password_command"]
    speech.say(f"Airflow: {links['airflow']} (password: {password})\n")


def _show_problems(speech: Console, problems: dict[str, Any]) -> None:
    speech.table(
        "Problems",
        ["problem", "champion", "since", "serves", "lifecycle", "monitoring"],
        [_row(name, found) for name, found in problems.items()],
    )
    for name, found in problems.items():
        for sentence in found["warnings"]:
            speech.say(f"{name}: {sentence}")


def _row(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    champion = found["champion"] or {}
    served = found["service"]["digest"] if found["service"] else None
    return (
        name,
        plain(
            champion.get("digest") or ("damaged" if "champion" in found["damaged"] else "none yet")
        ),
        written(champion.get("since")),
        plain(served) if served else "nothing",
        *(
            f"{run['state']} {written(run['start_date'])}" if run else "-"
            for run in (found["lifecycle"], found["monitoring"])
        ),
    )
