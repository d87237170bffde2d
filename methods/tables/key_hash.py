"""Hash keys of rows: the same key in two tables gives the same number, in any process, for ever.

A join of millions of keys then is a search among sorted 64-bit numbers, and the rows with the
smallest hashes are a random sample that both sides can name without having met.
Source: multilinear hashing, Carter and Wegman, "Universal Classes of Hash Functions", JCSS 18, 1979:
two different keys meet with a probability below 2^-57.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bundle import values
from contract.times import microseconds

Hashes = NDArray[np.uint64]

POSITIONS = 4_096  # of a key's bytes that have a factor of their own; longer keys use them again
CHUNK_ROWS = 16_384  # hashed at once: 14 MB for keys of 36 characters
_GOLDEN = np.uint64(
    0x9E3779B97F4A7C15
)  # the step of SplitMix; hashes are kept, so it never changes
_ISO = r"^\d{4}-\d{2}-\d{2}"


def hash_keys(columns: Sequence[pa.ChunkedArray]) -> Hashes:
    """Return a hash of each row's key, (n,); the columns are the key's parts, in its order.

    Numbers are spelt as texts, so that 7 and "7" are one key; instants and texts that are instants
    by their microseconds, so that a time that was sent as ISO 8601 meets the one in a table. A key
    with a missing part gets a hash too: see `is_whole`.
    """
    total = np.zeros(len(columns[0]) if columns else 0, np.uint64)
    for number, column in enumerate(columns):
        factors = _factors(number)
        texts = spell(column)
        start = 0
        for chunk in texts.chunks:
            for begin in range(0, len(chunk), CHUNK_ROWS):
                part = chunk.slice(begin, CHUNK_ROWS)
                total[start : start + len(part)] += _hash_texts(part, factors)
                start += len(part)
    return _mixed(total)


def is_whole(columns: Sequence[pa.ChunkedArray]) -> NDArray[np.bool_]:
    """Return which rows have every part of the key, (n,)."""
    present = np.ones(len(columns[0]) if columns else 0, dtype=bool)
    for column in columns:
        present &= pc.is_valid(column).to_numpy()
    return present


def spell(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a part of keys as texts."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).cast(pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        numbers = column.to_pylist()
        texts = [None if value is None else values.key(value) for value in numbers]
        return pa.chunked_array([pa.array(texts, pa.string())])
    texts = column.cast(pa.string())
    if pa.types.is_boolean(column.type):
        return pc.utf8_lower(texts)
    first = next((text for text in texts.slice(0, CHUNK_ROWS).drop_null().to_pylist()[:1]), None)
    if first is None or not pc.match_substring_regex(pa.array([first]), _ISO)[0].as_py():
        return texts
    return pa.chunked_array([pa.array(map(_instant, texts.to_pylist()), pa.string())])


def _hash_texts(texts: pa.StringArray, factors: Hashes) -> Hashes:
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[
        texts.offset : texts.offset + len(texts) + 1
    ].astype(np.int64)
    lengths = np.diff(offsets)
    data = texts.buffers()[2]
    size = int(offsets[-1] - offsets[0])
    bytes_ = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    numbers = bytes_[offsets[0] : offsets[-1]].astype(np.uint64) + np.uint64(1)
    width = int(lengths[0]) if len(lengths) else 0
    if (
        width and width <= POSITIONS and (lengths == width).all()
    ):  # as most keys are: 4 times as fast
        rows: Hashes = numbers.reshape(-1, width) @ factors[:width]
        rows += factors[-1:] * np.uint64(width)
        return rows
    position = (np.arange(size) - np.repeat(offsets[:-1] - offsets[0], lengths)) % POSITIONS
    sums = np.zeros(size + 1, np.uint64)
    np.cumsum(numbers * factors[position], out=sums[1:])
    bounds = offsets - offsets[0]
    hashes: Hashes = sums[bounds[1:]] - sums[bounds[:-1]] + lengths.astype(np.uint64) * factors[-1]
    return hashes


@cache
def _factors(part: int) -> Hashes:
    """Return a factor of each position, and one of the length, for the key's part `part`."""
    first = part * (POSITIONS + 1) + 1
    return _mixed(np.arange(first, first + POSITIONS + 1, dtype=np.uint64) * _GOLDEN)


def _mixed(hashes: Hashes) -> Hashes:
    """Spread the bits, so that the order of the hashes is random (Steele et al., SplitMix, 2014)."""
    mixed = hashes.copy()
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _instant(text: str | None) -> str | None:
    try:
        instant = values.instant(text)
    except values.Unusable:
        return text
    return text if instant is None else str(microseconds(instant))
