"""`perennial down`: stop the platform of this machine."""

import click

from perennial.platform.home import find_home
from perennial.platform.launch import down
from perennial.speech import Speech, Spoken


@click.command(cls=Spoken, example="perennial down")
def command(as_json: bool) -> None:
    """Stop every process of the platform. What it stored stays; `perennial up` goes on with it."""
    speech = Speech(as_json=as_json)
    count = down(find_home(), lambda what: speech.say(f"stopping {what} …"))
    speech.answer({"up": False, "stopped": count})
    if not as_json:
        speech.say(
            f"The platform is down ({count} processes were stopped)."
            if count
            else "The platform was not up."
        )
