"""`perennial down`: stop the platform of this machine or of a cluster."""

import click

from perennial.config import resolve_location
from perennial.console import Command, Console


@click.command(cls=Command, example="perennial down\nperennial --on kubernetes down")
def command(as_json: bool) -> None:
    """Stop every process of the platform. Its data stay; `perennial up` continues with them.

    On a cluster: scale every Deployment to zero, the prediction services included, and end running
    stages. Only pods are deleted: volumes, Secrets and problems stay, and `up` restores the number
    of replicas.
    """
    console = Console(as_json=as_json)
    location = resolve_location()
    count = location.down(console.print)
    console.emit_json({"up": False, "stopped": count})
    if not as_json:
        console.print(
            f"The platform is down ({count} {location.unit} were stopped)."
            if count
            else "The platform was not running."
        )
