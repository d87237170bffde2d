"""The bucket of a row, from its key or its group alone: the same in every run."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.canonical_json import sha256
from methods.retrain.thresholds import RetrainLimits
from methods.split.rule import SplitRule

BUCKETS = 10_000
SEPARATOR = "\x1f"  # between the columns of a key; no text file holds it


def salt_of(problem: str) -> str:
    """Return the salt of a problem's hashes by its name, 16 hexadecimal digits.

    It is the same in every run, so that a row keeps its part forever.
    """
    return sha256(f"perennial:{problem}".encode())[:16]


def key_texts(table: pa.Table, columns: Sequence[str]) -> list[str]:
    """Return each row's key as one text; a missing part of a key is empty."""
    parts = [pc.fill_null(pc.cast(table[name], pa.string()), "") for name in columns]
    if len(parts) == 1:
        return list(parts[0].to_pylist())
    return list(pc.binary_join_element_wise(*parts, SEPARATOR).to_pylist())


def buckets(texts: Sequence[str], salt: str) -> np.ndarray:
    """Return each text's bucket in [0, 10,000), int32 of shape (n,).

    DuckDB's `md5_number_lower(salt || ':' || text) % 10000` is the same number.

    >>> buckets(["1", "2", "3"], "7").tolist()
    [1093, 8037, 4593]
    """
    start = hashlib.md5(f"{salt}:".encode(), usedforsecurity=False)

    def bucket(text: str) -> int:
        digest = start.copy()
        digest.update(text.encode())
        return int.from_bytes(digest.digest()[8:], "little") % BUCKETS

    known = {text: bucket(text) for text in set(texts)}
    return np.fromiter((known[text] for text in texts), dtype=np.int32, count=len(texts))


def vault_buckets(rows: int, rule: SplitRule) -> int:
    """Return how many of the lowest buckets are the vault.

    By hash the share is halved while the vault would hold more rows than a judgement needs; more
    rows never make it larger. A group's rows are not independent, so that its share stays.
    """
    most = round(rule.vault * BUCKETS)
    while rule.by == "hash" and most > 1 and most * rows > RetrainLimits().vault_rows * BUCKETS:
        most //= 2
    return most if rule.vault_buckets is None else min(most, rule.vault_buckets)
