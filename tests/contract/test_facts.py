"""Every fact of every stage is declared with its kind and unit, and shown by them."""

import importlib
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from contract.artifacts import Artifact
from contract.facts import FACTS, Fact, describe_facts, fact_rows, format_fact
from contract.formatting import plain_text
from contract.stages import TASKS

TASK_NAMES = [spec.name for spec in TASKS]
# What a field of each kind holds; a time is microseconds since 1970, or a text.
TYPES: dict[str, set[type]] = {
    "text": {str},
    "digest": {str},
    "duration": {float},
    "share": {float},
    "bytes": {int},
    "count": {int},
    "score": {float},
    "flag": {bool},
}
UNITS = {"duration": {"s", "ms"}, "time": {"us", "iso"}}


def scalars(hint: Any) -> set[type]:
    """The types of a field: of its values where it is a mapping; texts for a choice of words."""
    if get_origin(hint) is Literal:
        return {type(word) for word in get_args(hint)}
    if get_origin(hint) is dict:
        return scalars(get_args(hint)[1])
    if isinstance(hint, UnionType):
        return {kind for part in get_args(hint) for kind in scalars(part)} - {type(None)}
    return {hint}


def facts_of(stage: str) -> dict[str, set[type]]:
    """The facts of a stage by name, with their types; the outcome is a field of its own."""
    outputs = importlib.import_module(f"tasks.{stage}.task").Outputs
    fields = {name: scalars(hint) for name, hint in get_type_hints(outputs).items()}
    own = {name: fields[name] for name in outputs.model_fields if name in fields}
    return {
        name: types
        for name, types in own.items()
        if name != "outcome" and not any(issubclass(kind, Artifact) for kind in types)
    }


def expected(fact: Fact) -> set[type]:
    return {int if fact.unit == "us" else str} if fact.kind == "time" else TYPES[fact.kind]


@pytest.mark.parametrize("stage", TASK_NAMES)
def test_a_stages_facts_are_declared_as_they_are(stage: str) -> None:
    facts = facts_of(stage)

    assert {name: expected(FACTS[name]) for name in facts} == facts


def test_no_declaration_is_stale() -> None:
    assert {name for stage in TASK_NAMES for name in facts_of(stage)} == set(FACTS)


def test_a_unit_is_one_of_its_kind() -> None:
    for name, fact in FACTS.items():
        assert fact.unit in UNITS.get(fact.kind, {""}), name


@pytest.mark.parametrize(
    ("name", "stored", "text"),
    [
        ("vault_from", 1_366_915_800_000_000, "2013-04-25 18:50 UTC"),
        ("window_end", "2013-10-01T02:00:00+02:00", "2013-10-01 00:00 UTC"),
        ("latency_p99", 0.0005236, "524 µs"),
        ("latency_p99_ms", 0.0427, "42.7 µs"),
        ("seconds", 95.3, "1 min 35 s"),
        ("probability", 0.9871, "98.7 %"),
        ("size", 1_234_567, "1.23 MB"),
        ("rows", 336_776, "336,776"),
        ("score", 0.95234, "0.9523"),
        ("gain", -0.0132, "-0.01320"),
        ("digest", "3fa9c1d2" * 8, "3fa9c1d23fa9"),
        ("reason", "drift in 3 columns", "drift in 3 columns"),
    ],
)
def test_a_fact_is_shown_by_its_kind(name: str, stored: object, text: str) -> None:
    assert plain_text(format_fact(name, stored)) == text


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("vault_from", "later"),
        ("window_end", 3),
        ("latency_p99", "0"),
        ("digest", 7),
        ("size", "x"),
    ],
)
def test_a_fact_that_another_version_stored_otherwise_is_shown_as_it_is(
    name: str, stored: object
) -> None:
    assert format_fact(name, stored) == str(stored)


def test_facts_have_one_order_and_unknown_ones_come_last() -> None:
    facts = {"zeal": 0.5, "baseline": 0.7, "scores": {"a": 1}, "score": 0.75, "ardour": "high"}

    assert fact_rows(facts) == [
        ("score", "0.7500"),
        ("baseline", "0.7000"),
        ("ardour", "high"),
        ("zeal", "0.5000"),
    ]
    assert describe_facts({"latency_p99": 0.5}) == ["service latency p99 500\N{NO-BREAK SPACE}ms"]


def test_a_flag_is_a_word() -> None:
    assert [format_fact("replay", value) for value in (True, False)] == ["yes", "no"]
