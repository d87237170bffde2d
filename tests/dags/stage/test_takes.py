"""What a DAG hands to a stage is what the stage asks for, and what the earlier stage makes."""

from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from contract.stages import STAGES

pytestmark = pytest.mark.slow

DAGS = ["flights__lifecycle", "flights__monitoring"]


def words(model: type[BaseModel], *, required: bool = False) -> set[str]:
    """The fields as a manifest and the command line spell them."""
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if field.is_required() or not required
    }


def task(stage: str) -> Any:
    return import_module(f"tasks.{stage}.task").task


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_gets_what_it_asks_for(structure: Any, stage: str) -> None:
    given = [
        set(structure["dags"][dag]["tasks"][stage]["takes"])
        for dag in DAGS
        if stage in structure["dags"][dag]["tasks"]
    ]
    inputs = task(stage).inputs

    assert given
    for names in given:
        assert words(inputs, required=True) <= names <= words(inputs)


@pytest.mark.parametrize("dag", DAGS)
def test_each_input_is_an_output_of_the_stage_it_comes_from(structure: Any, dag: str) -> None:
    missing = [
        f"{name} takes {taken} from {source}"
        for name, entry in structure["dags"][dag]["tasks"].items()
        for taken, source in entry["takes_from"].items()
        if taken not in words(task(source).outputs)
    ]

    assert missing == []
