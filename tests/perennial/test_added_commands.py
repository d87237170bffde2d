"""Commands of add-ons, and that the product knows none of them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import click
import pytest

from perennial.__main__ import ADDED, COMMANDS, cli
from perennial.local.home import Home

PRODUCT = Path(__file__).parents[2] / "perennial"
WORDS_OF_THE_DEMO = re.compile(r"\b(demo|flights?|weather|wines?)\b", re.IGNORECASE)
hello = click.Command("hello", callback=lambda: click.echo("hello"))


@pytest.fixture
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    """An add-on with two commands, of which one has the name of ours."""
    points = EntryPoints(
        EntryPoint(name, f"{__name__}:hello", ADDED) for name in ("hello", "validate")
    )
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)


@pytest.mark.usefixtures("_added")
def test_a_command_of_an_add_on_comes_after_ours() -> None:
    context = click.Context(cli)

    assert cli.list_commands(context) == [*COMMANDS, "hello"]
    found = cli.get_command(context, "validate")
    assert found is not None
    assert found.name != "hello"
    assert cli.get_command(context, "nothing") is None


def test_the_demo_is_a_command_of_an_add_on() -> None:
    assert "demo" not in COMMANDS
    assert "demo" in cli.list_commands(click.Context(cli))


def test_the_product_says_nothing_of_the_demo() -> None:
    found = [
        f"{path.relative_to(PRODUCT)}:{number}: {line.strip()}"
        for path in sorted(PRODUCT.rglob("*"))
        if path.suffix in {".py", ".sh"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WORDS_OF_THE_DEMO.search(line)
    ]

    assert found == []


@pytest.mark.slow
def test_a_command_of_ours_looks_for_no_add_on(
    home: Home, write_problem: Callable[..., Path]
) -> None:
    write_problem()
    code = (
        "import importlib.metadata as metadata, json, sys\nfrom perennial.__main__ import cli\n"
        "asked, look = [], metadata.entry_points\n"
        "metadata.entry_points = lambda **words: [asked.append(words['group']), look(**words)][1]\n"
        "cli(['validate', 'churn', '--json'], standalone_mode=False)\n"
        "modules = [name for name in sys.modules if name.split('.')[0] == 'demo']\n"
        "json.dump([modules, 'perennial.commands' in asked], sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(home.project)},
        capture_output=True,
        check=True,
        text=True,
    )

    assert json.loads(done.stderr) == [[], False]
