"""What a problem file means: every setting with its reason, and what each stage would do."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from contract.problem import Problem
from contract.problem.units import write_duration
from contract.stages import CYCLE
from contract.store.client import Store
from contract.store.source_head import read_head
from contract.strict import Strict

LEFT_OUT = frozenset({"apiVersion", "kind"})


class Setting(Strict):
    """One key of the effective problem."""

    key: str
    value: str
    given: bool
    """Whether the file says it; else it is the default."""
    why: str
    """What it means, and why the default is what it is."""


def settings(problem: Problem) -> list[Setting]:
    """Return every key of the effective problem, in the order of the model."""
    plain = problem.model_dump(mode="json", by_alias=True)
    found = [one for one in _walk("", problem, plain) if one.key not in LEFT_OUT]
    derived = _derived(problem)
    return [one.model_copy(update={"value": derived.get(one.key, one.value)}) for one in found]


def _derived(problem: Problem) -> dict[str, str]:
    """Return the defaults that follow from other keys; what the data decide is `inferred`."""
    labels = problem.labels
    on = ", ".join(labels.on) or "the row's hash"
    days = write_duration(labels.horizon)
    given = {
        "target.task": problem.target.task,
        "target.positive": problem.target.positive,
        "metric.name": problem.metric.name,
    }
    return {key: "inferred" for key, value in given.items() if value is None} | {
        "split.by": problem.split_by,
        "target.labels": f"from {labels.source} on {on}, {days} late",
    }


def _walk(prefix: str, model: BaseModel, plain: dict[str, Any]) -> Iterator[Setting]:
    for name, field in type(model).model_fields.items():
        key = field.alias or name
        value = getattr(model, name)
        is_given = name in model.model_fields_set
        if isinstance(value, BaseModel):
            yield from _walk(f"{prefix}{key}.", value, plain[key])
        elif _holds_models(value):
            for part, inner in value.items():
                yield from _walk(f"{prefix}{key}.{part}.", inner, plain[key][part])
        else:
            yield Setting(
                key=f"{prefix}{key}",
                value=_written(plain[key]),
                given=is_given,
                why=" ".join((field.description or "").split()),
            )


def stages(problem: Problem) -> list[tuple[str, str]]:
    """Return each stage with what it would do for this problem."""
    values = {name: getattr(problem, name) for name in type(problem).model_fields}
    values |= _plan_values(problem)
    return [(spec.name, spec.plan.format_map(values)) for spec in CYCLE]


def _plan_values(problem: Problem) -> dict[str, str]:
    """Return what a stage's plan may name beside the sections of the problem file."""
    return {
        "sources": "; ".join(
            f"{name} from {source.describe()}" for name, source in problem.source.items()
        ),
        "joins": _joins(problem),
        "split_by": problem.split_by,
        "candidates": ", ".join(problem.models.candidates),
        "cpu_budget": write_duration(problem.models.budget),
        "gates": _gates(problem),
        "approval": "; a person approves first" if problem.gates.approval == "manual" else "",
        "verdict_window": write_duration(problem.monitoring.verdict_window),
    }


def rows_expected(store: Store, problem: Problem) -> dict[str, int | None]:
    """Return the rows of each source at its last collection; None before the first.

    Raises:
        DamagedDocument: nobody knows what is committed of a source.
    """
    heads = {name: read_head(store, problem.name, name) for name in problem.source}
    return {
        name: None if etag is None else sum(part.table.rows for part in head.parts)
        for name, (head, etag) in heads.items()
    }


def _holds_models(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(inner, BaseModel) for inner in value.values())
    )


def _written(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None or value in ([], {}, ""):
        return "-"
    if isinstance(value, list):
        return ", ".join(str(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value)


def _joins(problem: Problem) -> str:
    joins = [
        f"{name} on {', '.join(join.on)}" + (f", as of {join.as_of}" if join.as_of else "")
        for name, join in problem.features.join.items()
    ]
    return f"joins {'; '.join(joins)}" if joins else "row by row"


def _gates(problem: Problem) -> str:
    gates = problem.gates
    words = [f"beats a constant by {gates.beats.skill:.0%} of what is to gain"] * gates.beats.dummy
    by = "the value of a decision" if problem.metric.value else "the metric"
    words.append(f"beats the champion by {by} with P ≥ {gates.beats.champion.confidence:.0%}")
    words += [f"{name} at least as good as {limit}" for name, limit in gates.minimum.items()]
    words += [f"no {column} gets worse" for column in gates.slices]
    return "; ".join(words)
