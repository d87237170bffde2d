"""Output of a command: text and tables for a person, or one JSON document for a program.

With `--json`, standard output holds one document and nothing else; progress and logs go to standard
error. `rich` is imported only when there is something to show with it.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from contract.errors import PerennialError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

MACHINE, KUBERNETES = "machine", "kubernetes"
LOCATIONS = (MACHINE, KUBERNETES)
PLAIN_WIDTH = 160  # of a table that goes into a file or a pipe


class Console:
    """Writes what one command prints."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._rich_consoles: dict[bool, RichConsole] = {}

    @property
    def progress(self) -> "RichConsole":
        """The `rich` console of text and tables: standard error with `--json`."""
        return self._console(to_errors=self.as_json)

    def print(self, text: str) -> None:
        """Print a line of text, without markup."""
        self.progress.print(text, markup=False, highlight=False, soft_wrap=True)

    def emit_json(self, document: Any) -> None:  # noqa: ANN401 - any JSON value
        """Print the JSON document on standard output; nothing without `--json`."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
            sys.stdout.flush()

    def table(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table; nothing with `--json`."""
        if self.as_json:
            return
        from rich.table import Table  # noqa: PLC0415 - 60 ms that `--json` need not pay
        from rich.text import Text  # noqa: PLC0415 - as above

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
        for head in heads:
            table.add_column(head, overflow="fold", header_style="dim")
        for row in rows:
            # As text: brackets in a sentence are no markup.
            table.add_row(*(Text(cell) for cell in row))
        self.progress.print(table)

    def _console(self, *, to_errors: bool) -> "RichConsole":
        if to_errors not in self._rich_consoles:
            from rich.console import Console as RichConsole  # noqa: PLC0415 - as above

            stream = sys.stderr if to_errors else sys.stdout
            width = None if stream.isatty() else PLAIN_WIDTH
            self._rich_consoles[to_errors] = RichConsole(file=stream, width=width)
        return self._rich_consoles[to_errors]


class Command(click.Command):
    """A command with `--json`, an example, and errors as one sentence with their exit code."""

    def __init__(self, *arguments: Any, example: str = "", **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(*arguments, **settings)
        self.example = example
        option = ["--json", "as_json"]
        text = "Print one JSON document on standard output."
        self.params.append(click.Option(option, is_flag=True, help=text))
        self.params += [
            _repeated_option(["--on"], type=click.Choice(LOCATIONS)),
            _repeated_option(["--context"], metavar="NAME"),
        ]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Append the examples to the help text."""
        del ctx
        if self.example:
            with formatter.section("Example"):
                for line in self.example.strip().splitlines():
                    formatter.write_text(line)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Run the command; print an expected error as one sentence and exit with its code."""
        try:
            return super().invoke(ctx)
        except PerennialError as error:
            if ctx.params.get("as_json"):
                failure = {"why": str(error), "exit": error.exit_code}
                click.echo(json.dumps(failure, indent=2))
            click.echo(f"perennial: {error}", err=True)
            ctx.exit(error.exit_code)


def _repeated_option(names: list[str], **settings: Any) -> click.Option:  # noqa: ANN401 - click's own
    """Return an option of `perennial` that is accepted after the command's name too; hidden in help."""

    def store(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.find_root().params[str(param.name)] = value

    text = "The same as before the command's name."
    return click.Option(
        names, expose_value=False, callback=store, hidden=True, help=text, **settings
    )
