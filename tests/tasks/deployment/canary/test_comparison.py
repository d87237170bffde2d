"""A canary is judged against the champion beside it; each question passes, fails, or cannot be judged."""

import math
from fractions import Fraction
from itertools import accumulate, pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.serving_state import Tally
from tasks.deployment.canary.comparison import (
    compare_tallies,
    final_failure,
    fisher_one_sided,
    interim_failure,
    quantile,
    shift,
)
from tasks.deployment.canary.counts import NOTHING, Count, add, answers

EDGES = (0.001, 0.01, 0.1)
LIMIT = 0.02
CELLS = dict.fromkeys(range(-10, 10), 50)


def tally(
    good: int = 1000,
    errors: int = 0,
    refused: int = 0,
    seconds: tuple[int, ...] = (1000, 0, 0, 0),
    scores: dict[int, int] | None = None,
) -> Tally:
    statuses = {200: good, 500: errors, 422: refused}
    return Tally(
        statuses=statuses, edges=EDGES, seconds=seconds, scores=CELLS if scores is None else scores
    )


def look(canary: Tally, champion: Tally) -> str | None:
    return interim_failure(compare_tallies(canary, champion, 0.25))


def at_the_end(canary: Tally, champion: Tally) -> str | None:
    return final_failure(compare_tallies(canary, champion, 0.25), canary, champion, LIMIT)


def test_an_equal_canary_passes() -> None:
    assert look(tally(), tally(3000)) is None
    assert at_the_end(tally(), tally(3000)) is None


def test_one_error_of_a_small_canary_is_no_proof() -> None:
    assert at_the_end(tally(19, errors=1), tally(60)) is None


def test_a_few_errors_end_a_step_and_many_end_it_at_once() -> None:
    few, many = tally(495, errors=5), tally(480, errors=20)

    assert look(few, tally(1000)) is None
    assert "failed 5 of 500 requests and the champion 0 of 1,000" in str(
        at_the_end(few, tally(1000))
    )
    assert "failed 20 of 500 requests" in str(look(many, tally(1000)))


def test_errors_that_the_champion_has_as_well_are_not_the_canarys() -> None:
    assert at_the_end(tally(450, errors=50), tally(900, errors=100)) is None


def test_errors_beside_a_champion_that_nobody_asks_are_judged_alone() -> None:
    assert look(tally(96, errors=4), NOTHING) is None
    assert "at most 5% are allowed" in str(look(tally(90, errors=10), NOTHING))
    assert look(tally(9, errors=5), NOTHING) is None


def test_rows_that_only_the_canary_refuses_end_it() -> None:
    assert at_the_end(tally(900, refused=100), tally(900, refused=100)) is None
    assert "clients send what the new model does not take" in str(
        at_the_end(tally(950, refused=50), tally(3000))
    )


def test_a_canary_slower_than_the_limit_and_the_champion_ends() -> None:
    slow, fast = (900, 0, 100, 0), (1000, 0, 0, 0)

    assert "99 of 100 answers of the canary take up to 91 ms, the champion's 0.99 ms" in str(
        at_the_end(tally(seconds=slow), tally(seconds=fast))
    )
    assert at_the_end(tally(seconds=slow), tally(seconds=slow)) is None
    assert "gates.latency_p99" in str(at_the_end(tally(seconds=slow), tally(seconds=())))
    assert at_the_end(tally(seconds=(0, 0, 99, 0)), tally(seconds=fast)) is None  # too few


def test_scores_that_lie_elsewhere_end_it_and_few_scores_say_nothing() -> None:
    moved = {cell + 15: count for cell, count in CELLS.items()}

    assert "scores lie elsewhere" in str(at_the_end(tally(scores=moved), tally(3000)))
    assert at_the_end(tally(scores={20: 99}), tally(3000)) is None
    assert shift(tally(scores={20: 99}), tally()) == (None, 1.0)


def test_scores_that_differ_a_little_pass() -> None:
    """A tenth of a logit is what a new model is for."""
    moved = {cell + 1: count for cell, count in CELLS.items()}

    assert at_the_end(tally(scores=moved), tally(3000)) is None


def test_classes_are_compared_as_they_are() -> None:
    index, chance = shift(tally(scores={0: 100, 1: 900}), tally(scores={0: 900, 1: 100}))

    assert index is not None
    assert index > 3
    assert chance < 1e-9


def test_the_exact_test_knows_the_lady_tasting_tea() -> None:
    """Fisher, "The Design of Experiments", 1935, chapter 2: 8 cups, 4 of each."""
    assert fisher_one_sided(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert fisher_one_sided(3, 4, 1, 4) == pytest.approx(17 / 70)


@pytest.mark.parametrize(
    "table", [(1, 20, 0, 60), (5, 500, 0, 1000), (10, 100, 2, 300), (50, 950, 0, 3000)]
)
def test_the_exact_test_is_what_counting_all_tables_gives(table: tuple[int, int, int, int]) -> None:
    bad, number, bad_before, before = table
    all_bad, both = bad + bad_before, number + before
    tables = [
        comb(all_bad, count) * comb(both - all_bad, number - count)
        for count in range(bad, min(all_bad, number) + 1)
    ]

    expected = float(Fraction(sum(tables), comb(both, number)))

    assert fisher_one_sided(*table) == pytest.approx(expected, rel=1e-9)


def test_the_exact_test_knows_nothing_without_answers() -> None:
    assert fisher_one_sided(0, 0, 5, 10) == fisher_one_sided(5, 10, 0, 0) == 1.0


@given(st.integers(0, 30), st.integers(0, 60), st.integers(0, 30), st.integers(0, 60), st.data())
def test_the_exact_test_is_a_tail_that_sums_to_one(
    bad: int, good: int, bad_before: int, good_before: int, data: st.DataObject
) -> None:
    number, before = bad + good, bad_before + good_before
    all_bad = bad + bad_before
    tails = [
        fisher_one_sided(count, number, all_bad - count, before)
        for count in range(max(0, all_bad - before), min(all_bad, number) + 1)
    ]

    assert all(one >= other - 1e-12 for one, other in pairwise(tails))
    assert tails[0] == 1.0
    assert all(0 <= tail <= 1 for tail in tails)


def test_a_quantile_lies_straight_within_its_bucket() -> None:
    assert quantile(tally(seconds=(0, 1000, 0, 0)), 0.5) == pytest.approx(0.0055)
    assert quantile(tally(seconds=(0, 0, 0, 1000)), 0.99) == 0.1
    assert quantile(tally(seconds=(99, 0, 0, 0)), 0.99) is None


def test_answers_add_up_over_pods_and_over_restarts() -> None:
    count = Count(from_now=False)
    count.update({"a": tally(10), "b": tally(5)})
    count.update({"a": tally(12)})
    assert answers(count.total()) == 17
    count.update({"a": tally(3), "b": tally(6), "c": tally(1)})  # a began anew

    assert answers(count.total()) == 12 + 3 + 6 + 1


def test_what_the_champion_answered_before_is_left_out() -> None:
    count = Count(from_now=True)
    count.update({})
    count.update({"a": tally(1000)})
    assert answers(count.total()) == 0
    count.update({"a": tally(1010), "new": tally(7)})

    assert answers(count.total()) == 17


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_a_pod_counts_as_what_it_gained(gains: list[int]) -> None:
    count = Count(from_now=True)
    for total in accumulate(gains):
        count.update({"a": tally(total, seconds=(total, 0, 0, 0), scores={1: total})})

    found = count.total()
    assert answers(found) == sum(gains) - gains[0]
    assert found.scores.get(1, 0) == sum(gains) - gains[0]
    assert sum(found.seconds) == sum(gains) - gains[0]


def test_nothing_and_something_is_something() -> None:
    assert answers(add(NOTHING, tally(4))) == 4
    assert math.isclose(add(NOTHING, tally(4)).edges[0], EDGES[0])
