"""JSON as a bundle may hold it: no NaN, no infinity, no key twice, no depth that would end the process.

Python's own parser accepts all four.
"""

import json
import math

from pydantic import JsonValue

from bundle.refusal import BundleRefused


def parse(data: bytes, name: str) -> JsonValue:
    """Return the value that `data`, the content of the file `name`, spells.

    Raises:
        BundleRefused: when the bytes are not strict JSON.
    """
    try:
        value: JsonValue = json.loads(
            data,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_distinct_keys,
        )
    except (RecursionError, ValueError) as error:
        why = str(error)[:120]
        sentence = f"{name} is not strict JSON: {why}; write the bundle anew"
        raise BundleRefused(sentence) from error
    return value


def parse_object(data: bytes, name: str) -> dict[str, JsonValue]:
    """Return the JSON object that `data` spells.

    Raises:
        BundleRefused: when the bytes are not strict JSON, or another value than an object.
    """
    value = parse(data, name)
    if not isinstance(value, dict):
        sentence = f"{name} holds a {type(value).__name__}, expected an object; write it anew"
        raise BundleRefused(sentence)
    return value


def _refuse_constant(constant: str) -> float:
    why = f"the constant {constant}"
    raise ValueError(why)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # "1e999" is grammatical JSON
        why = f"the number {text[:20]} is past float64"
        raise ValueError(why)
    return number


def _distinct_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        why = "a key stands twice in one object"
        raise ValueError(why)
    return value
