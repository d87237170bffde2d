"""Make `docs/policy.md`: every threshold of the retrain controller, from its own model's words."""

from collections.abc import Iterator
from datetime import timedelta

from contract.problem.units import format_duration
from contract.strict import Strict
from docs.generate.markdown import page as page_of
from docs.generate.markdown import table
from methods.controller.policy import Policy

INTRODUCTION = """# The retrain controller's thresholds

[Monitoring](lifecycle/12-monitoring.md) decides every day by these values.
They are one frozen model, `methods/controller/policy.py`, with the limits of drift and of quality from `methods/drift/limits.py`; a threshold is changed there and nowhere else, and a rehearsal passes another policy.
What a problem sets for itself (`monitoring`, `retraining`) is in the [problem file](problem.md)."""


def page() -> str:
    """Return the page."""
    return page_of(INTRODUCTION, *_sections("The controller", Policy()))


def _sections(title: str, values: Strict) -> Iterator[str]:
    """Describe the thresholds of one model, then those of the models inside it."""
    rows, inner = [], []
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        meaning = " ".join((field.description or "").split())
        if isinstance(value, Strict):
            inner.append((meaning.removesuffix("."), value))
        else:
            rows.append([f"`{name}`", _format(value), meaning])
    yield f"## {title}\n\n{table(['threshold', 'value', 'unit, domain, reason and source'], rows)}"
    for heading, model in inner:
        yield from _sections(heading, model)


def _format(value: object) -> str:
    return format_duration(value) if isinstance(value, timedelta) else f"{value}"
