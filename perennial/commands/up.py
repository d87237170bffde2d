"""`perennial up`: start the platform of this machine."""

import click

from perennial.platform.access import open_platform
from perennial.platform.home import find_home
from perennial.platform.launch import up
from perennial.speech import Speech, Spoken


@click.command(cls=Spoken, example="perennial up")
def command(as_json: bool) -> None:
    """Start the store, Airflow and the model services on loopback, and wait until they answer.

    State, credentials (0600) and logs are in .perennial/ of the project, or in $PERENNIAL_HOME.
    Variables that problem files mention are taken from this shell and kept for a later `up`.
    """
    speech = Speech(as_json=as_json)
    home = find_home()
    seconds = up(home, lambda what: speech.say(f"waiting for {what} …"))
    links = open_platform(home).links()
    speech.answer({"up": True, "seconds": round(seconds, 1), **links})
    if not as_json:
        speech.say(f"The platform is up ({seconds:.1f} s).")
    speech.table("", ["", ""], [(name.replace("_", " "), text) for name, text in links.items()])
