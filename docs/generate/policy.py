"""Make `docs/policy.md`: every threshold of the retrain controller, from its own model's words."""

import ast
import inspect
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from contract.problem.units import write_duration
from contract.strict import Strict
from docs.generate.markdown import page as page_of
from docs.generate.markdown import table
from methods.controller.policy import Policy

INTRODUCTION = """# The retrain controller's thresholds

[Monitoring](lifecycle/monitoring.md) decides every day by these values.
They are one frozen model, `methods/controller/policy.py`, with the limits of drift and of quality from `methods/drift/limits.py`; a threshold is changed there and nowhere else, and a rehearsal passes another policy.
What a problem sets for itself (`monitoring`, `retraining`) is in the [problem file](problem.md)."""


def page() -> str:
    """Return the page."""
    return page_of(INTRODUCTION, *_sections("The controller", Policy()))


def _sections(title: str, values: Strict) -> Iterator[str]:
    """Describe the thresholds of one model, then those of the models inside it."""
    rows, inner = [], []
    for name, meaning in meanings(type(values)).items():
        value = getattr(values, name)
        if isinstance(value, Strict):
            inner.append((meaning.removesuffix("."), value))
        else:
            rows.append([f"`{name}`", _format(value), meaning])
    yield f"## {title}\n\n{table(['threshold', 'value', 'unit, domain, reason and source'], rows)}"
    for heading, model in inner:
        yield from _sections(heading, model)


def meanings(model: type[Strict]) -> dict[str, str]:
    """Return the docstring below each field; not by pydantic, which would parse at each import."""
    (tree,) = ast.parse(inspect.getsource(model)).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    meaning = dict.fromkeys(model.model_fields, "")
    for field, below in pairwise(body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            meaning[field.target.id] = " ".join(str(below.value.value).split())
    return meaning


def _format(value: object) -> str:
    return write_duration(value) if isinstance(value, timedelta) else f"{value}"
