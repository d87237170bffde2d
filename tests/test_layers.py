"""The lists of the import contracts that import-linter itself does not hold complete."""

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def contract_named(beginning: str) -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (found,) = [entry for entry in contracts if entry["name"].startswith(beginning)]
    return dict(found)


def test_every_value_of_the_contract_is_kept_from_libraries_of_the_outside() -> None:
    """The layers are exhaustive, so their lowest is the list of all values."""
    layers = contract_named("In the contract a process stands on rollouts")
    values = contract_named("The contract's values are read and written without the store")

    assert layers["exhaustive"]
    lowest = layers["layers"][-1].split(" : ")
    assert values["source_modules"] == [f"contract.{name}" for name in lowest]
