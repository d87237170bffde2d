"""Which rows came before? A digest of 64 bits a row, and a sample of the digests that adds up.

The sample holds the rows with the smallest digests, with how often each came: whatever the volume,
all twins of a sampled row are in it, and the same rows are sampled on every day. Evenly spaced rows
of a large day never meet their twins. Samples of parts of a day merge to the day's own, exactly.

Source: Cohen and Kaplan, "Summarizing Data using Bottom-k Sketches", PODC 2007.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from bundle.arrays import Floats
from contract.strict import Strict

Digests = NDArray[np.uint64]

SAMPLED = 512  # distinct rows: a share is off by 2.2 points at most (one standard error)
_BITS_KEPT = 53  # of a digest in the JSON: a whole number that every reader keeps exactly
_CHUNK = 65_536  # texts at a time: eight bytes for each of their characters are held
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 / golden ratio, odd (Steele et al., OOPSLA 2014)
_BASE = np.uint64(0x100000001B3)  # the prime of the FNV-1a hash
_HALF = np.uint64(32)


class RowSample(Strict):
    """The rows with the smallest digests."""

    rows: int
    """That were looked at."""
    digests: tuple[int, ...]
    """Of 53 bits, ascending, distinct; all of them where there are fewer than 512."""
    counts: tuple[int, ...]
    """How often each came."""


def digest_columns(columns: Mapping[str, Floats | pa.ChunkedArray], rows: int) -> Digests:
    """Return the digest of each row, (rows,): of the columns' values, whatever their order.

    Numbers count as float64, missing as one value; anything else as text.
    """
    digests = np.full(rows, _MIX, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in sorted(columns):
            values = columns[name]
            part = _numbers(values) if isinstance(values, np.ndarray) else _texts(values)
            digests = (digests ^ part) * _MIX
            digests ^= digests >> _HALF
    return digests


def sample_rows(digests: Digests) -> RowSample:
    """Return the sample of rows with these digests, (n,)."""
    values, counts = np.unique(digests >> np.uint64(64 - _BITS_KEPT), return_counts=True)
    return RowSample(
        rows=len(digests),
        digests=tuple(values[:SAMPLED].tolist()),
        counts=tuple(counts[:SAMPLED].tolist()),
    )


def merge_samples(samples: Iterable[RowSample]) -> RowSample:
    """Return the sample of all rows; any order and grouping give the same."""
    rows, counts = 0, dict[int, int]()
    for sample in samples:
        rows += sample.rows
        for digest, count in zip(sample.digests, sample.counts, strict=True):
            counts[digest] = counts.get(digest, 0) + count
    kept = sorted(counts)[:SAMPLED]
    return RowSample(
        rows=rows, digests=tuple(kept), counts=tuple(counts[digest] for digest in kept)
    )


def repeated_share(sample: RowSample) -> float:
    """Return the share of rows that repeat another row, in [0, 1]; of two equal ones, one repeats."""
    total = sum(sample.counts)
    return 1 - len(sample.digests) / total if total else 0.0


def share_known(sample: RowSample, earlier: RowSample) -> float:
    """Return the share of rows, in [0, 1], that were among the earlier ones.

    Both are looked at up to the smaller of their largest digests, below which both are whole.
    """
    ends = [each.digests[-1] for each in (sample, earlier) if len(each.digests) == SAMPLED]
    end = min(ends, default=1 << _BITS_KEPT)
    known = set(earlier.digests)
    both = [
        (digest in known, count)
        for digest, count in zip(sample.digests, sample.counts, strict=True)
        if digest <= end
    ]
    total = sum(count for _, count in both)
    return sum(count for is_known, count in both if is_known) / total if total else 0.0


def _numbers(values: Floats) -> Digests:
    plain = np.asarray(values, dtype=np.float64) + 0.0  # the negative zero becomes zero
    missing = np.isnan(plain)
    if missing.any():
        plain[missing] = np.nan  # one missing value, whatever its bits
    return _mixed(plain.view(np.uint64))


def _texts(values: pa.ChunkedArray) -> Digests:
    """Digest texts as polynomials of their bytes, from the array's own buffers."""
    plain = values.cast(values.type.value_type) if pt.is_dictionary(values.type) else values
    if pt.is_integer(plain.type) or pt.is_timestamp(plain.type):
        whole = plain.cast(plain.type if pt.is_integer(plain.type) else pa.int64())
        return _mixed(whole.to_numpy().astype(np.uint64))
    parts = [
        _of_texts(chunk.slice(start, _CHUNK))
        for chunk in plain.cast(pa.large_string()).chunks
        for start in range(0, len(chunk), _CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)


def _of_texts(texts: pa.LargeStringArray) -> Digests:
    """Digest each distinct text once, where many rows share one."""
    encoded = texts.dictionary_encode(null_encoding="encode")
    if 2 * len(encoded.dictionary) > len(texts):
        return _polynomial(texts)
    found: Digests = _polynomial(encoded.dictionary)[encoded.indices.to_numpy()]
    return found


def _polynomial(texts: pa.LargeStringArray) -> Digests:
    _, offsets_buffer, characters = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[texts.offset :][: len(texts) + 1]
    lengths = np.diff(offsets)
    lengths = np.where(texts.is_null().to_numpy(zero_copy_only=False), 0, lengths)
    found = lengths.astype(np.uint64) * _MIX
    filled = np.flatnonzero(lengths)
    if filled.size:
        lengths = lengths[filled]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        position = np.arange(lengths.sum()) - np.repeat(starts, lengths)
        source = np.repeat(offsets[:-1][filled], lengths) + position
        letters = np.frombuffer(characters, dtype=np.uint8)[source].astype(np.uint64)
        powers = np.full(int(lengths.max()), _BASE, dtype=np.uint64)
        found[filled] += np.add.reduceat(
            (letters + np.uint64(1)) * np.cumprod(powers)[position], starts
        )
    found[texts.is_null().to_numpy(zero_copy_only=False)] = _BASE
    return _mixed(found)


def _mixed(bits: Digests) -> Digests:
    """Bring the high bits down: those of most numbers are zero, and no product carries downwards."""
    mixed: Digests = bits ^ (bits >> _HALF)
    return mixed
