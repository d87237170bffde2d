"""`perennial status`: what is up, which model serves, what ran last."""

from dataclasses import asdict
from typing import Any

import click

from contract.errors import AskedWrongly
from perennial.asking import airflow_of
from perennial.moments import written
from perennial.platform.access import Platform, open_platform
from perennial.platform.home import find_home
from perennial.platform.launch import missing
from perennial.platform.processes import memory_bytes
from perennial.problems import find_problem
from perennial.speech import Speech, Spoken, plain
from perennial.standing import standing


@click.command(cls=Spoken, example="perennial status\nperennial status flights --json")
@click.argument("name", required=False)
def command(name: str | None, as_json: bool) -> None:
    """Show the platform's processes, and of each problem the champion, its service, its last runs.

    With --json, problems.NAME.champion.digest is the digest of the model that serves; for one NAME
    it is also champion.digest.
    """
    speech = Speech(as_json=as_json)
    home = find_home()
    if name is not None:
        find_problem(home.problems, name)
    platform = open_platform(home)
    names = [name] if name else known_problems(platform)
    store, airflow = platform.store(), airflow_of(platform)
    problems = {one: standing(store, airflow, one, platform.credentials.api_key) for one in names}
    document: dict[str, Any] = {
        "platform": {
            "up": True,
            "waiting_for": missing(home),
            "memory_bytes": memory_bytes(home.folder),
            "components": {
                part: asdict(state) for part, state in platform.state.components.items()
            },
            **platform.links(),
        },
        "problems": problems,
    }
    speech.answer(document | (problems[name] if name else {}))
    if not as_json:
        _show(speech, platform, document)


def known_problems(platform: Platform) -> list[str]:
    """Return the names of the problems that have a file."""
    found = sorted(file.parent.name for file in platform.home.problems.glob("*/problem.yaml"))
    if not found:
        sentence = (
            f"There is no problem in {str(platform.home.problems)!r}; "
            "`perennial init NAME --from FILE --target COLUMN` writes one."
        )
        raise AskedWrongly(sentence)
    return found


def _show(speech: Speech, platform: Platform, document: dict[str, Any]) -> None:
    rows = [
        (name, part.state, str(part.process.pid if part.process else "-"), str(part.restarts))
        for name, part in platform.state.components.items()
    ]
    speech.table("Platform", ["component", "state", "process", "restarts"], rows)
    for name, part in platform.state.components.items():
        if part.problem and part.state != "running":
            speech.say(f"{name} {part.problem}")
    lacking = document["platform"]["waiting_for"]
    memory = document["platform"]["memory_bytes"] / 2**20
    speech.say(f"{f'waiting for {lacking}' if lacking else 'all of it answers'}; {memory:.0f} MiB")
    speech.say(f"Airflow: {platform.airflow_url} (password: {platform.links()['password_file']})\n")
    speech.table(
        "Problems",
        ["problem", "champion", "since", "serves", "lifecycle", "monitoring"],
        [_row(name, found) for name, found in document["problems"].items()],
    )
    for name, found in document["problems"].items():
        for sentence in found["warnings"]:
            speech.say(f"{name}: {sentence}")


def _row(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    champion = found["champion"] or {}
    served = found["service"]["digest"] if found["service"] else None
    return (
        name,
        plain(champion.get("digest") or "none yet"),
        written(champion.get("since")),
        plain(served) if served else "nothing",
        *(
            f"{run['state']} {written(run['start_date'])}" if run else "-"
            for run in (found["lifecycle"], found["monitoring"])
        ),
    )
