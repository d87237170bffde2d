"""What the loop earned is what monitoring measured, each promotion once, and nothing more."""

from datetime import timedelta

from decision_factory import DIGEST, START, decision

from contract.performance import Effect
from demo.scenario.earnings import answer, earned, effects


def measured(rows: int, gain: float | None, digest: str = "b" * 64) -> Effect:
    unit = None if gain is None else "$"
    low, high = (None, None) if gain is None else (gain - 0.1, gain + 0.1)
    return Effect(
        digest=digest,
        previous=DIGEST,
        promoted=START,
        first=START.date(),
        last=(START + timedelta(days=6)).date(),
        rows=rows,
        metric="log_loss",
        before=0.6,
        after=0.5,
        z=4.0,
        helped=True,
        is_final=True,
        sentence="It helped.",
        earned=gain,
        earned_low=low,
        earned_high=high,
        unit=unit,
    )


def test_the_newest_measure_of_a_promotion_counts_and_each_promotion_once() -> None:
    second = measured(500, -0.2, "c" * 64)
    days = [
        decision(0),
        decision(1, effect=measured(1_000, 0.1)),
        decision(2, effect=measured(6_000, 0.4)),
        decision(9, effect=second),
    ]

    assert effects(days) == [measured(6_000, 0.4), second]
    assert earned(effects(days)) == 6_000 * 0.4 - 500 * 0.2


def test_the_answer_is_a_sum_with_its_parts() -> None:
    assert answer([measured(6_000, 0.4)], 1) == (
        "What did the loop earn? +$2,400: +$0.400 a decision [0.300, 0.500] on 6,000 departures of "
        "2013-05-01 to 2013-05-07, against the model before on the same departures."
    )


def test_a_loss_is_said_as_one() -> None:
    assert answer([measured(1_000, -0.25)], 1).startswith(
        "What did the loop earn? \N{MINUS SIGN}$250:"
    )


def test_without_a_promotion_it_earned_nothing_and_without_labels_nobody_knows() -> None:
    assert "Nothing: no challenger was promoted" in answer([], 0)
    assert "not known yet" in answer([], 1)
    assert "not known yet" in answer([measured(1_000, None)], 1)
