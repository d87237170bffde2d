"""A stage's docstring names what its models hold, and its page stands in the order of the cycle."""

import ast
import re
from importlib import import_module

import pytest

from contract.stages import STAGES
from docs.generate import stages

ARTIFACT = re.compile(r"\b(Document|Page|Table|Blob|Bundle)\b")


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z_0-9]+", text))


def said(stage: str, word: str) -> set[str]:
    return words_of(stages.words(ast.get_docstring(stages.tree_of(stage)) or "")[word])


def held(stage: str, model: str, *, artifacts: bool) -> set[str]:
    found = stages.fields(stages.tree_of(stage), model)
    return {field.name for field in found if bool(ARTIFACT.search(field.kind)) is artifacts}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_what_it_takes(stage: str) -> None:
    assert held(stage, "Inputs", artifacts=True) <= said(stage, "Takes")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_what_it_makes(stage: str) -> None:
    assert held(stage, "Outputs", artifacts=True) <= said(stage, "Makes")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_its_facts(stage: str) -> None:
    assert held(stage, "Outputs", artifacts=False) <= said(stage, "Facts")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_page(stage: str) -> None:
    text = stages.path_of(stage).read_text("utf-8")

    assert text.startswith(f"# {STAGES.index(stage) + 1}. {stage.capitalize()}\n")
    for part in ("What it does", "Contract", "Alone", "What can refuse, and what to do", "Sources"):
        assert f"\n## {part}\n" in text


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_the_command_on_a_page_takes_every_input_that_the_stage_requires(stage: str) -> None:
    """By the models themselves: the page is made by reading their text, and some inherit fields."""
    inputs = import_module(f"tasks.{stage}.task").task.inputs
    required = {
        field.alias or name for name, field in inputs.model_fields.items() if field.is_required()
    }

    text = stages.path_of(stage).read_text("utf-8")

    assert set(re.findall(r"--take (\w+)=", text)) == required
