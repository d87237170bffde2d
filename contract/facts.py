"""The facts of the stages: the kind of each, the unit of its stored value, and its name for a person.

A fact is a scalar field of a stage's `Outputs`: manifests and results store it by its name, as it
is. Who shows one cannot import the stages, so what the value means is declared here;
`tests/contract/test_facts.py` holds the table to all `Outputs`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from contract.formatting import (
    format_bytes,
    format_digest,
    format_duration,
    format_share,
    format_time,
    format_unknown,
    format_value,
    plain_text,
)

TASK_DONE = "task done"
"""The message of a task's last log line, whose fields are its facts."""

Kind = Literal["text", "digest", "time", "duration", "share", "bytes", "count", "score", "flag"]
Unit = Literal["", "iso", "us", "ms", "s"]
_SECONDS = {"ms": 1e-3, "s": 1.0}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Fact:
    """What a stored value means."""

    kind: Kind
    unit: Unit = ""
    """Of a duration `s` or `ms`; of a time `us`, microseconds since 1970, or `iso`, its ISO 8601 text."""
    label: str = ""
    """Default: the name, with spaces."""


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "day": Fact("text"),  # a calendar day in the problem's time zone: 2013-10-01
        "digest": Fact("digest"),
        "latency_p99": Fact("duration", "s", "service latency p99"),
        "best": Fact("text"),
        "yardstick": Fact("text"),
        "score": Fact("score"),
        "baseline": Fact("score"),
        "reason": Fact("text"),
        "sentence": Fact("text"),
        "blocked": Fact("text"),
        "cleared": Fact("text"),
        "gain": Fact("score"),
        "probability": Fact("share", label="probability of a gain"),
        "trials": Fact("count"),
        "rows": Fact("count"),
        "new_rows": Fact("count"),
        "quarantined": Fact("count"),
        "columns": Fact("count"),
        "labelled": Fact("count"),
        "unlabelled": Fact("count"),
        "left_out": Fact("count", label="left out: blocked days"),
        "train": Fact("count"),
        "validation": Fact("count"),
        "vault": Fact("count"),
        "vault_from": Fact("time", "us"),
        "vault_buckets": Fact("count"),
        "learnt_until": Fact("time", "us"),
        "twin_learnt_until": Fact("time", "us"),
        "answer": Fact("text"),
        "target_mean": Fact("score"),
        "scores": Fact("score"),
        "warnings": Fact("count"),
        "size": Fact("bytes"),
        "seconds": Fact("duration", "s", "CPU time"),
        "window_end": Fact("time", "iso"),
        "champion": Fact("digest"),
        "latency_p99_ms": Fact("duration", "ms", "model latency p99"),
        "url": Fact("text"),
        "task": Fact("text"),
        "days": Fact("count"),
        "finding": Fact("text"),
        "onset": Fact("text", label="change since"),  # a calendar day
        "replay": Fact("flag", label="champion's plan again"),
        "opened": Fact("count", label="open alerts"),
        "messages": Fact("count", label="messages that wait"),
        "key": Fact("text"),
    }
)
"""All facts, in the order in which a line shows them: a terminal has room for the first few."""


def fact_label(name: str) -> str:
    """Return what a person calls a fact.

    >>> fact_label("vault_from"), fact_label("latency_p99_ms")
    ('vault from', 'model latency p99')
    """
    fact = FACTS.get(name)
    return (fact.label if fact else "") or name.replace("_", " ")


def format_fact(name: str, value: object) -> str:
    r"""Write a fact's stored value by its kind; one that another version stored otherwise, as it is.

    >>> format_fact("vault_from", 1_366_915_800_000_000), format_fact("latency_p99", 0.0005236)
    ('2013-04-25 18:50 UTC', '524\xa0µs')
    >>> format_fact("latency_p99", "unknown")
    'unknown'
    """
    fact = FACTS.get(name)
    if fact is None or value is None:
        return format_unknown(value)
    try:
        return _FORMATS[fact.kind](fact, value)
    except (TypeError, ValueError, OverflowError):
        return format_unknown(value)


def fact_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return label and text of each fact that is a text or a number, in the order of `FACTS`.

    >>> fact_rows({"new_rows": 10, "rows": 336776, "scores": {"linear": 0.8}})
    [('rows', '336,776'), ('new rows', '10')]
    """
    names = [*(name for name in FACTS if name in facts), *sorted(set(facts) - set(FACTS))]
    return [
        (fact_label(name), format_fact(name, facts[name]))
        for name in names
        if isinstance(facts[name], str | int | float)
    ]


def describe_facts(facts: Mapping[str, object]) -> list[str]:
    """Return the rows of `fact_rows`, each as one text.

    >>> describe_facts({"new_rows": 10, "rows": 336776})
    ['rows 336,776', 'new rows 10']
    """
    return [f"{label} {text}" for label, text in fact_rows(facts)]


def describe_fields(message: str, fields: Mapping[str, object]) -> str:
    """Return the fields of a log line for a person: `name=value`, facts of a task's end by kind.

    >>> describe_fields(TASK_DONE, {"vault_from": 1_366_915_800_000_000, "task": "split"})
    'vault_from=2013-04-25 18:50 UTC task=split'
    >>> describe_fields("waiting", {"seconds": 3})
    'seconds=3'
    """
    has_facts = message == TASK_DONE
    return " ".join(
        f"{name}={plain_text(format_fact(name, value)) if has_facts and name in FACTS else value}"
        for name, value in fields.items()
    )


def _time(fact: Fact, value: Any) -> str:  # noqa: ANN401 - a stored value
    if fact.unit == "iso":
        return format_time(datetime.fromisoformat(value))
    return format_time(_EPOCH + timedelta(microseconds=value))


_FORMATS: Mapping[Kind, Callable[[Fact, Any], str]] = MappingProxyType(
    {
        "text": lambda _, value: format_value(value),
        "digest": lambda _, value: format_digest(value),
        "time": _time,
        "duration": lambda fact, value: format_duration(value * _SECONDS[fact.unit]),
        "share": lambda _, value: format_share(value),
        "bytes": lambda _, value: format_bytes(value),
        "count": lambda _, value: format_value(value),
        "score": lambda _, value: format_value(value, 4),
        "flag": lambda _, value: "yes" if value else "no",
    }
)
