"""Make `docs/command.md`: the `--help` of every command, as it prints it."""

import click

from docs.generate.markdown import page as page_of
from perennial.__main__ import cli

WIDTH = 96
INTRODUCTION = """# The command

`perennial` is the command line; Airflow's pages show the same runs.
Each command prints text and tables, or one JSON document with `--json`; logs and progress then go to standard error.

Exit codes: 0 success, 2 invalid request, 3 refused, 75 try again; anything else is a bug."""


def page() -> str:
    """Return the page."""
    context = click.Context(
        cli, info_name="perennial", max_content_width=WIDTH, terminal_width=WIDTH
    )
    names = [(name, cli.get_command(context, name)) for name in cli.list_commands(context)]
    parts = [_part(name, command, context) for name, command in names if command is not None]
    return page_of(INTRODUCTION, _part("", cli, None), *parts)


def _part(name: str, command: click.Command, parent: click.Context | None) -> str:
    title = f"perennial {name}".strip()
    context = click.Context(
        command,
        info_name=name or title,
        parent=parent,
        terminal_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    return f"## `{title}`\n\n```text\n{command.get_help(context).strip()}\n```"
