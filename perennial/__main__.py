"""The command `perennial`: each subcommand is a module that is imported when it is called.

Other distributions add subcommands by entry points of the group `perennial.commands`, whose values
are click commands. They are looked up only where a name is not a built-in one, or all are listed.
"""

import importlib
import sys
from collections.abc import Callable

import click

from perennial.console import LOCATIONS

COMMANDS = (
    *("validate", "plan", "init", "up", "down", "run", "monitor", "predict", "status"),
    *("why", "alert", "history", "adopt", "rollback", "rehearse", "gc"),
)
ADDED = "perennial.commands"
"""The group of entry points."""


class Commands(click.Group):
    """The subcommands, in the order in which a newcomer needs them; those of add-ons come last."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, not sorted."""
        del ctx
        return [*COMMANDS, *sorted(_added_commands().keys() - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name in COMMANDS:
            command = importlib.import_module(f"perennial.commands.{cmd_name}").command
        else:
            load = _added_commands().get(cmd_name)
            command = load() if load else None
        assert command is None or isinstance(command, click.Command)
        return command


def _added_commands() -> dict[str, Callable[[], object]]:
    """Return the loader of each entry point, by its command's name."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - built-in commands need not pay for it

    return {point.name: point.load for point in entry_points(group=ADDED)}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="perennial", message="%(version)s")
@click.option(
    "--on",
    type=click.Choice(LOCATIONS),
    help="Where the platform runs. Default: machine, this one.",
)
@click.option(
    "--context", metavar="NAME", help="Context of the kubeconfig. Default: the current one."
)
def cli(on: str | None, context: str | None) -> None:
    """Keep a tabular machine-learning model alive: collect, evaluate, deploy, monitor, retrain.

    Exit codes: 0 success, 2 invalid request, 3 refused (data or model not good enough), 75 try again.

    $PERENNIAL_ON and $PERENNIAL_CONTEXT replace the two options, and so do `on: kubernetes` and
    `context: NAME` in .perennial/config.yaml (or in $PERENNIAL_HOME).
    """
    del on, context  # `perennial.config` reads them where a command needs a location


def main() -> None:
    """Run the command line; log lines of libraries go to standard error."""
    from contract.log import configure  # noqa: PLC0415 - nothing is configured at import

    configure(sys.stderr)
    cli(prog_name="perennial")


if __name__ == "__main__":
    main()
