"""Distances between histograms, against known answers."""

import numpy as np
import pytest

from methods.drift import divergence


def test_the_stability_index_of_a_worked_example() -> None:
    """Shares .5/.5 against .25/.75: .25 ln 2 + .25 ln 1.5, on many rows."""
    index, corrected = divergence.stability_index(np.array([5e6, 5e6]), np.array([2.5e6, 7.5e6]))

    assert index == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5), abs=1e-6)
    assert corrected == pytest.approx(index, abs=1e-6)


def test_without_drift_the_corrected_index_is_near_zero_where_the_plain_one_is_not() -> None:
    random = np.random.default_rng(0)
    weights = 1 / np.arange(1, 201)
    weights /= weights.sum()
    found = [
        divergence.stability_index(
            *divergence.pool(
                random.multinomial(50_000, weights).astype(float),
                random.multinomial(500, weights).astype(float),
            )
        )
        for _ in range(50)
    ]
    plain = divergence.stability_index(
        random.multinomial(50_000, weights).astype(float),
        random.multinomial(500, weights).astype(float),
    )[0]

    assert plain > 0.1
    assert max(corrected for _, corrected in found) < 0.1
    assert np.mean([corrected for _, corrected in found]) < 0.02


def test_an_empty_sample_has_no_distance() -> None:
    some, none = np.array([3.0, 4.0]), np.zeros(2)

    assert divergence.stability_index(some, none) == (0.0, 0.0)
    assert divergence.two_sample_p(some, none) == 1.0
    assert divergence.jensen_shannon(some, none) == 0.0
    assert divergence.kolmogorov_smirnov(some, none) == 0.0
    assert divergence.wasserstein(some, none, np.array([1.0]), 0.0, 2.0) == 0.0


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 57, 258])
def test_the_chi_squared_tail_is_scipys(degrees: int) -> None:
    from scipy.special import chdtrc

    for statistic in (0.0, 0.1, 1.0, degrees, 2 * degrees, 5 * degrees + 20):
        expected = chdtrc(degrees, statistic)
        assert divergence.chi_squared_tail(statistic, degrees) == pytest.approx(expected, rel=1e-9)


def test_pearsons_p_value_is_scipys() -> None:
    from scipy.stats import chi2_contingency

    before, now = np.array([30.0, 50.0, 20.0]), np.array([20.0, 30.0, 40.0])

    expected = chi2_contingency(np.array([before, now]), correction=False).pvalue

    assert divergence.two_sample_p(before, now) == pytest.approx(expected, rel=1e-12)


def test_one_cell_cannot_differ() -> None:
    assert divergence.two_sample_p(np.array([9.0]), np.array([3.0])) == 1.0


def test_false_discovery_is_scipys() -> None:
    from scipy.stats import false_discovery_control

    p_values = [0.01, 0.04, 0.03, 0.5, 0.001, 1.0]

    assert divergence.false_discovery(p_values) == pytest.approx(
        false_discovery_control(p_values).tolist()
    )


def test_distances_are_scipys() -> None:
    from scipy.spatial.distance import jensenshannon

    before, now = np.array([30.0, 50.0, 20.0, 0.0]), np.array([20.0, 30.0, 40.0, 10.0])

    assert divergence.jensen_shannon(before, now) == pytest.approx(
        jensenshannon(before, now, base=2)
    )
    assert divergence.kolmogorov_smirnov(before, now) == pytest.approx(0.3)


def test_the_area_between_distributions_is_the_shift_of_the_mean() -> None:
    random = np.random.default_rng(0)
    before = random.normal(size=100_000)
    edges = np.quantile(before, np.linspace(0, 1, 257)[1:-1])

    def bins(values: np.ndarray) -> np.ndarray:
        return np.bincount(np.searchsorted(edges, values), minlength=256).astype(float)

    low, high = np.quantile(before, [0.001, 0.999])
    found = divergence.wasserstein(bins(before), bins(before + 0.5), edges, low, high)

    assert found == pytest.approx(0.5, abs=0.02)


def test_cells_with_fewer_than_five_expected_rows_are_pooled() -> None:
    before, now = divergence.pool(np.array([900.0, 96, 2, 2]), np.array([90.0, 9, 1, 0]))

    assert before.tolist() == [900.0, 100.0]
    assert now.tolist() == [90.0, 10.0]


def test_where_every_cell_is_small_one_remains() -> None:
    before, now = divergence.pool(np.array([2.0, 3.0]), np.array([1.0, 2.0]))

    assert (before.tolist(), now.tolist()) == ([5.0], [3.0])


def test_bins_are_grouped_by_equal_reference_mass() -> None:
    assert divergence.group(np.full(256, 10)).max() == 9
    assert divergence.group(np.array([60, 10, 10, 10, 10])).tolist() == [0, 1, 2, 3, 4]
