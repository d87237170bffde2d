import pytest
from scipy.stats import t as student

from methods.models.student import student_probability, student_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 27, 28, 399])
@pytest.mark.parametrize("statistic", [-40.0, -2.5, -0.3, 0.0, 0.7, 1.7, 6.0])
def test_the_probability_is_that_of_a_library(statistic: float, degrees: int) -> None:
    assert student_probability(statistic, degrees) == pytest.approx(
        student.cdf(statistic, degrees), abs=1e-12
    )


@pytest.mark.parametrize("degrees", [1, 2, 27, 399])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.95, 0.975])
def test_the_quantile_is_that_of_a_library(probability: float, degrees: int) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(
        student.ppf(probability, degrees), abs=1e-8
    )
