"""Digests of rows: the same for the same values, a sample that adds up, shares that are right."""

import numpy as np
import pyarrow as pa

from methods.drift.row_digests import (
    SAMPLED,
    digest_columns,
    merge_samples,
    repeated_share,
    sample_rows,
    share_known,
)


def table(rows: int, seed: int) -> dict[str, object]:
    random = np.random.default_rng(seed)
    words = [None if n % 7 == 0 else f"w{n % 50}é" for n in random.integers(0, 10_000, rows)]
    return {"number": random.normal(size=rows), "word": pa.chunked_array([words])}


def digests(columns: dict[str, object], rows: int) -> np.ndarray:
    return digest_columns(columns, rows)  # type: ignore[arg-type] # arrays and chunked arrays


def test_rows_of_other_values_have_other_digests() -> None:
    random = np.random.default_rng(0)
    codes = random.permutation(100_000)
    found = digest_columns({"x": (codes // 400).astype(float), "y": (codes % 400) / 4}, 100_000)
    texts = pa.chunked_array([[f"{n}" for n in range(100_000)]])

    assert len(np.unique(found)) == 100_000
    assert len(np.unique(digest_columns({"word": texts}, 100_000))) == 100_000


def test_a_digest_is_of_values_and_not_of_chunks_or_types() -> None:
    words = ["a", "", None, "long " * 20, "é"]
    whole = pa.chunked_array([words])
    parts = pa.chunked_array([words[:2], words[2:]])
    keyed = pa.chunked_array([pa.array(words).dictionary_encode()])

    one, two, three = (digests({"w": each}, 5) for each in (whole, parts, keyed))

    assert one.tolist() == two.tolist() == three.tolist()
    assert len(set(one.tolist())) == 5


def test_zero_and_a_missing_number_have_one_digest() -> None:
    found = digest_columns({"x": np.array([0.0, -0.0, np.nan, -np.nan])}, 4)

    assert found[0] == found[1]
    assert found[2] == found[3] != found[0]


def test_samples_of_parts_add_up_to_the_sample_of_all() -> None:
    found = digests(table(5_000, 1), 5_000)
    parts = [sample_rows(part) for part in np.array_split(found, 7)]

    assert merge_samples(parts) == sample_rows(found) == merge_samples(reversed(parts))
    assert len(sample_rows(found).digests) == SAMPLED


def test_the_repeats_of_a_doubled_day_are_half_of_its_rows() -> None:
    found = digests(table(50_000, 2), 50_000)

    assert repeated_share(sample_rows(np.tile(found, 2))) == 0.5
    assert repeated_share(sample_rows(found)) == 0.0
    assert repeated_share(sample_rows(found[:0])) == 0.0


def test_the_share_of_rows_that_came_before_is_estimated() -> None:
    before, now = digests(table(30_000, 3), 30_000), digests(table(30_000, 4), 30_000)
    mixed = np.concatenate([before[:12_000], now[:18_000]])

    assert share_known(sample_rows(before), sample_rows(before)) == 1.0
    assert share_known(sample_rows(now), sample_rows(before)) == 0.0
    assert abs(share_known(sample_rows(mixed), sample_rows(before)) - 0.4) < 0.1
    assert share_known(sample_rows(now[:0]), sample_rows(before)) == 0.0
