"""The data of the demo's small problems, so that they can be run after it."""

from pathlib import Path

from contract.errors import InvalidRequest
from demo.scenario.world import run_world
from perennial.local.home import Home

TABLES = ("wine", "hotel")


def land_tables(home: Home, landing: Path) -> list[str]:
    """Land the table of each small problem; return a sentence on each."""
    return [_land(home, landing, name) for name in TABLES]


def _land(home: Home, landing: Path, name: str) -> str:
    try:
        run_world(home, [name, "--to", str(landing)])
    except InvalidRequest as error:
        return f"No data of {name!r} have landed: {error}"
    return f"The data of {name!r} have landed: `perennial run {name}` makes a model of them."
