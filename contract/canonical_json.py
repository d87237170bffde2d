"""One spelling of a JSON value, so that equal values have equal digests."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return `value` as JSON bytes with sorted keys and no spaces.

    Raises:
        ValueError: for NaN or an infinity, which JSON cannot hold.

    >>> canonical_json({"b": 1, "a": [1.5, None]})
    b'{"a":[1.5,null],"b":1}'
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )
    return text.encode()


def sha256(data: bytes) -> str:
    """Return the hex SHA-256 of `data`, 64 characters."""
    return hashlib.sha256(data).hexdigest()
