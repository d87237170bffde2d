"""`perennial down`: stop the platform of this machine or of a cluster."""

import click

from perennial.config import find_place
from perennial.console import Command, Console


@click.command(cls=Command, example="perennial down\nperennial --on kubernetes down")
def command(as_json: bool) -> None:
    """Stop every process of the platform. What it stored stays; `perennial up` goes on with it.

    On a cluster: scale everything to no pod, the services of the models included, and end running
    stages. Nothing is deleted but pods: volumes, Secrets and problems stay, and so does the number
    of pods of each part, which `up` brings back.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    count = place.down(speech.say)
    speech.answer({"up": False, "stopped": count})
    if not as_json:
        speech.say(
            f"The platform is down ({count} {place.unit} were stopped)."
            if count
            else "The platform was not up."
        )
