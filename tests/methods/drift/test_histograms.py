"""Counting a column on the reference's grid."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.drift.histograms import Histogram, count, fit_grid, merge


def column(values: object, kind: object = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


def test_a_continuous_column_has_255_edges_of_equal_mass() -> None:
    values = column(np.random.default_rng(0).normal(size=256_000))

    grid = fit_grid(values, "number")
    counts = count(values, grid).counts

    assert len(grid.edges) == 255
    assert min(counts) > 900
    assert max(counts) < 1_100


def test_missing_nan_and_infinite_numbers_are_missing() -> None:
    grid = fit_grid(column([0.0, 1.0, 2.0]), "number")

    found = count(column([0.0, None, float("nan"), float("inf"), 2.0]), grid)

    assert (found.missing, found.present, found.rows) == (3, 2, 5)


def test_values_beyond_a_whole_range_outside_are_out_of_range() -> None:
    grid = fit_grid(column([0.0, 10.0]), "number")

    found = count(column([-10.1, -10.0, 4.0, 20.0, 20.1, 99.0]), grid)

    assert (grid.low, grid.high) == (-10.0, 20.0)
    assert (found.below, found.above, sum(found.counts)) == (1, 2, 3)


def test_a_reference_of_one_value_has_no_range() -> None:
    grid = fit_grid(column([4.0] * 9), "number")

    found = count(column([6.0, 4.0]), grid)

    assert (grid.low, grid.high, found.above) == (None, None, 0)


def test_an_atom_has_a_bin_of_its_own() -> None:
    values = np.r_[np.zeros(600), np.random.default_rng(0).exponential(5, 400)]
    grid = fit_grid(column(values), "number")

    counts = count(column([0.0] * 7), grid).counts

    assert max(counts) == sum(counts) == 7
    assert max(count(column(values), grid).counts) >= 600


def test_numbers_that_came_as_text_count_as_numbers() -> None:
    grid = fit_grid(column([1.0, 2.0, 3.0]), "number")

    found = count(column(["1", "2.0", "three", None]), grid)

    assert (found.present, found.missing) == (2, 2)


def test_the_most_frequent_256_categories_have_cells_and_the_others_are_rare() -> None:
    names = [f"n{i}" for i in range(300) for _ in range(2 if i < 256 else 1)]
    grid = fit_grid(column(names), "category")

    found = count(column(["n0", "n299", "new", None]), grid)

    assert len(grid.levels) == 256
    assert not grid.is_open
    assert (found.counts[0], found.rare, found.unseen, found.missing) == (1, 1, 1, 1)


def test_a_column_of_too_many_categories_is_open_and_calls_the_unknown_rare() -> None:
    grid = fit_grid(column([f"n{i}" for i in range(1_000)]), "category")

    found = count(column(["never seen"]), grid)

    assert grid.is_open
    assert (found.rare, found.unseen) == (1, 0)


@pytest.mark.parametrize(
    "spelling", [[7, 8], [7.0, 8.0], ["7", "8"], pa.array(["7", "8"]).dictionary_encode()]
)
def test_a_category_is_the_same_however_it_is_spelt(spelling: object) -> None:
    grid = fit_grid(column(["7", "8", "9"]), "category")

    found = count(column(spelling), grid)

    assert (sum(found.counts), found.unseen) == (2, 0)


def test_a_truth_value_is_the_same_however_it_is_spelt() -> None:
    grid = fit_grid(column([True, False]), "boolean")

    found = count(column(["True", "false", None]), grid)

    assert (sum(found.counts), found.unseen, found.missing) == (2, 0, 1)


def test_a_text_is_counted_by_its_length() -> None:
    grid = fit_grid(column(["a", "bb", "cccc"]), "text")

    found = count(column(["dd", None, "e" * 100]), grid)

    assert (sum(found.counts), found.above, found.missing) == (1, 1, 1)


def test_a_date_is_present_or_missing() -> None:
    grid = fit_grid(column(["2013-01-01"]), "date")

    assert count(column(["2020-05-05", None]), grid) == Histogram(counts=(1,), missing=1)


def test_a_column_without_values_still_has_a_grid() -> None:
    for kind in ("number", "text", "category"):
        grid = fit_grid(column([None, None], pa.string()), kind)
        assert count(column([None], pa.string()), grid).missing == 1


def test_edges_have_as_many_digits_as_keep_them_apart() -> None:
    values = 1_370_000_000.0 + np.arange(1_000)

    grid = fit_grid(column(values), "number")

    assert len(grid.edges) == 255
    assert max(count(column(values), grid).counts) <= 5


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.floats(-9, 9)), max_size=20), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_parts_in_any_order_add_up_to_the_whole(
    parts: list[list[float | None]], random: object
) -> None:
    grid = fit_grid(column(np.linspace(-3, 3, 100)), "number")
    whole = count(column([value for part in parts for value in part], pa.float64()), grid)

    random.shuffle(parts)  # type: ignore[attr-defined] # hypothesis' own Random
    merged, *others = [count(column(part, pa.float64()), grid) for part in parts]
    for other in others:
        merged = merge(merged, other)

    assert merged == whole


def test_histograms_of_unlike_grids_do_not_add_up() -> None:
    with pytest.raises(ValueError):
        merge(Histogram(counts=(1, 2)), Histogram(counts=(1,)))
