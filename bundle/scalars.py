"""The one scalar function of each column plan: a raw value in, a fixed number of floats out."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from bundle import values
from bundle.plans import (
    CategoryPlan,
    DatePlan,
    EqualsPlan,
    LookupPlan,
    NumberPlan,
    Plan,
    TextPlan,
)
from bundle.values import NAN

Scalar = Callable[[object], tuple[float, ...]]

# Our own pattern, never one from a bundle: a hostile one could run for ever.
_WORDS = re.compile(r"\b\w\w+\b")


def prepare(plan: Plan) -> tuple[Scalar, tuple[float, ...]]:
    """Return the plan's scalar function and what it makes of a missing value.

    The function raises `bundle.values.Unusable` for a value that has to count as missing.
    """
    encode: Scalar
    match plan:
        case NumberPlan():
            encode = _number(plan)
        case EqualsPlan():
            encode = _equals(plan)
        case CategoryPlan():
            table = {value: _floats((code,)) for value, code in plan.values.items()}
            encode = _gather(table, _floats((plan.missing,)), _floats((plan.other,)))
        case LookupPlan():
            rows = {value: _floats(row) for value, row in plan.values.items()}
            encode = _gather(rows, _floats(plan.missing), _floats(plan.other))
        case DatePlan():
            encode = _date(plan)
        case TextPlan():
            encode = _text(plan)
    return encode, encode(None)


def _floats(row: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(NAN if value is None else float(value) for value in row)


def _number(plan: NumberPlan) -> Scalar:
    low = -math.inf if plan.low is None else plan.low
    high = math.inf if plan.high is None else plan.high

    def encode(value: object) -> tuple[float, ...]:
        number = values.number(value)
        if number < low:  # NaN compares false, and stays
            return (low,)
        return (high,) if number > high else (number,)

    return encode


def _equals(plan: EqualsPlan) -> Scalar:
    def encode(value: object) -> tuple[float, ...]:
        number = values.number(value)
        return (number if math.isnan(number) else float(number == plan.one),)

    return encode


def _gather(
    table: dict[str, tuple[float, ...]], missing: tuple[float, ...], other: tuple[float, ...]
) -> Scalar:
    find = table.get

    def encode(value: object) -> tuple[float, ...]:
        # Most values are texts; `key` need not be called to say so.
        spelling = value if isinstance(value, str) else values.key(value)
        return find(spelling, other) if spelling else missing

    return encode


def _date(plan: DatePlan) -> Scalar:
    parts = [values.DATE_PARTS[part] for part in plan.parts]
    missing = (NAN,) * len(parts)

    def encode(value: object) -> tuple[float, ...]:
        at = values.naive_instant(value)
        if at is None:
            return missing
        ordinal = at.toordinal()
        return tuple([float(part(at, ordinal)) for part in parts])

    return encode


def _text(plan: TextPlan) -> Scalar:
    """Score TF-IDF as scikit-learn's TfidfVectorizer(sublinear_tf=True) does, term by term."""
    terms = {term: (idf, weights) for term, idf, weights in plan.terms}
    bias = plan.bias

    def encode(value: object) -> tuple[float, ...]:
        counts: dict[str, int] = {}
        text = value[: plan.characters] if isinstance(value, str) else ""
        for term in _terms(text, bigrams=plan.bigrams):
            if term in terms:
                counts[term] = counts.get(term, 0) + 1
        squares = 0.0
        scores = [0.0] * len(bias)
        for term, count in counts.items():
            idf, weights = terms[term]
            strength = (1.0 + math.log(count)) * idf
            squares += strength * strength
            for index, weight in enumerate(weights):
                scores[index] += strength * weight
        norm = math.sqrt(squares) or 1.0
        return tuple(score / norm + bias[index] for index, score in enumerate(scores))

    return encode


def _terms(text: str, *, bigrams: bool) -> Iterator[str]:
    words = _WORDS.findall(text.lower())
    yield from words
    if bigrams:
        for left, right in pairwise(words):
            yield f"{left} {right}"
