"""`perennial up`: start the platform of this machine, or bring one to a cluster."""

import click

from perennial.config import find_place
from perennial.console import Command, Console


@click.command(
    cls=Command,
    example="perennial up\nperennial --on kubernetes up\n"
    "perennial --on kubernetes --context work up --overlay production",
)
@click.option(
    "--overlay",
    metavar="NAME|PATH",
    help="Of a cluster: a folder of k8s/overlays, or any other. Default: quickstart.",
)
def command(overlay: str | None, as_json: bool) -> None:
    """Start the store, Airflow and the model services on loopback, and wait until they answer.

    State, credentials (0600) and logs are in .perennial/ of the project, or in $PERENNIAL_HOME.
    Variables that problem files mention are taken from this shell and kept for a later `up`.

    On a cluster: apply the overlay with the problems that it names, show them to Airflow at once,
    put variables of this shell that are missing into the Secrets source-NAME, and wait for Airflow.
    """
    speech = Console(as_json=as_json)
    place = find_place()
    seconds = place.up(speech.say, overlay)
    with place.opened() as platform:
        links = platform.links()
    speech.answer({"up": True, "seconds": round(seconds, 1), **links})
    if not as_json:
        speech.say(f"The platform is up ({seconds:.1f} s).")
    speech.table("", ["", ""], [(name.replace("_", " "), text) for name, text in links.items()])
