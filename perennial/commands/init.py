"""`perennial init`: a first problem file from a table and the column to predict."""

import re
from pathlib import Path

import click

from contract.errors import InvalidRequest
from perennial.console import Command, Console
from perennial.local.home import find_home
from perennial.problems.scaffold import Request, write_problem

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".jsonl", ".jsonl.gz", ".json")


@click.command(cls=Command, example="perennial init churn --from customers.csv --target left")
@click.argument("name")
@click.option("--from", "file", required=True, metavar="FILE", help="CSV, JSON lines or Parquet.")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option(
    "--task",
    type=click.Choice(["binary", "multiclass", "regression"]),
    help="Inferred from the target's values when absent.",
)
def command(name: str, file: str, target: str, task: str | None, as_json: bool) -> None:
    """Write problems/NAME: a problem file, a suite of expectations and a README to complete.

    The files state what was inferred and why; `perennial run NAME` works without editing them. A
    kustomization beside them adds the problem to a cluster: one line in an overlay names the folder.
    """
    console = Console(as_json=as_json)
    request = Request(name=checked_name(name), file=checked_file(file), target=target, task=task)
    problem, folder = write_problem(find_home(), request)
    files = sorted(str(path) for path in folder.iterdir())
    console.emit_json({"name": problem.name, "folder": str(folder), "files": files})
    if not as_json:
        console.print(f"{folder} was written: {problem.question}")
        console.print(f"Next: read it, then `perennial plan {name}` and `perennial run {name}`.")


def checked_name(name: str) -> str:
    """Return `name` if it is a valid name of a problem.

    Raises:
        InvalidRequest: it is not.
    """
    if NAME.fullmatch(name) is None:
        sentence = (
            f"The name {name!r} was found; lowercase letters, digits and hyphens are expected, "
            "a letter first, at most 40: such as churn-2."
        )
        raise InvalidRequest(sentence)
    return name


def checked_file(file: str) -> str:
    """Return the absolute path of a table.

    Raises:
        InvalidRequest: there is no such file, or its format is unknown.
    """
    path = Path(file).absolute()
    if not path.is_file():
        raise InvalidRequest(f"There is no file {file!r}; give a CSV, JSON lines or Parquet file.")
    if not path.name.lower().endswith(SUFFIXES):
        sentence = (
            f"The file {path.name!r} has an unknown format; known are: {', '.join(SUFFIXES)}."
        )
        raise InvalidRequest(sentence)
    return str(path)
