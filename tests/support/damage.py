"""What can become of a JSON document: cut off, overwritten, of another kind, of a newer version."""

import json
from typing import Any


def damages(
    body: bytes, another: bytes = b'{"who": "another kind of document"}'
) -> dict[str, bytes]:
    """Return the damaged bodies by what was done to `body`, a valid JSON object with fields."""
    value: dict[str, Any] = json.loads(body)
    first = next(iter(value))
    return {
        "an empty object": b"{}",
        "no bytes": b"",
        "cut off": body[: len(body) // 2],
        "its last byte is gone": body[:-1],
        "not UTF-8": b"\xff\xfe" + body,
        "a list": b"[" + body + b"]",
        "null": b"null",
        "a number": b"7",
        "a text": b'"damaged"',
        "a newer version's field": _json(value | {"of_a_newer_version": 1}),
        "a field is of another type": _json(value | {first: {"of": ["another", "type"]}}),
        "another kind of document": another,
        "more behind its end": body + body,
        "nested without end": b'{"a":' * 100_000,
        "zeros": bytes(len(body)),
    }


def without(body: bytes, field: str) -> bytes:
    """Return the document without one of its fields."""
    value: dict[str, Any] = json.loads(body)
    del value[field]
    return _json(value)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
