"""`perennial up`: start the platform on this machine, or install it on a cluster."""

import click

from perennial.config import resolve_location
from perennial.console import Command, Console


@click.command(
    cls=Command,
    example="perennial up\nperennial --on kubernetes up\n"
    "perennial --on kubernetes --context work up --overlay production",
)
@click.option(
    "--overlay",
    metavar="NAME|PATH",
    help="For a cluster: a folder of k8s/overlays, or a path. Default: quickstart.",
)
def command(overlay: str | None, as_json: bool) -> None:
    """Start the store, Airflow and the prediction services on loopback, and wait until they are ready.

    State, credentials (0600) and logs are in .perennial/ of the project, or in $PERENNIAL_HOME.
    Environment variables that problem files mention are read from this shell and kept for a later `up`.

    On a cluster: apply the overlay with the problems that it names, make Airflow load them at once,
    add variables of this shell that are missing to the Secrets source-NAME, and wait for Airflow.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    seconds = location.up(console.print, overlay)
    with location.connect() as platform:
        links = platform.links()
    console.emit_json({"up": True, "seconds": round(seconds, 1), **links})
    if not as_json:
        console.print(f"The platform is up ({seconds:.1f} s).")
    console.table("", ["", ""], [(name.replace("_", " "), text) for name, text in links.items()])
