"""The gate by the yardstick: better, not worse by more than the margin, or it cannot be judged."""

import numpy as np
import pyarrow as pa
import pytest
from fixtures_vault import BROKEN, scored, vault

from contract.problem.gates import BeatsChampion
from contract.verdict import Check
from methods.models.bootstrap import Scored
from methods.models.metrics import METRICS
from methods.models.yardstick import Yardstick, proper_score, value_yardstick, with_rows
from tasks.evaluation.calibration import check_slope
from tasks.evaluation.rivals import Rivals, measured
from tasks.evaluation.superiority import Compared, check_champion, check_dummy, rule_for
from tasks.evaluation.vault import Vault

AUC = with_rows(METRICS["roc_auc"])
LOSS = proper_score("binary")
DOLLARS = value_yardstick({"true_positive": 3.0, "false_positive": -1.0}, "$")


def rivals(
    new: Scored,
    old: Scored | None = None,
    yardstick: Yardstick = AUC,
    rows_of_vault: Vault | None = None,
) -> Rivals:
    rows_of_vault = rows_of_vault or vault()
    constant = Scored(np.full(len(rows_of_vault.truth), 0.4), 0.0)
    return Rivals(rows_of_vault, yardstick, LOSS, new, old, constant, classes=2, seed=0)


def dummy_check(new: Scored, rows_of_vault: Vault | None = None, skill: float = 0.01) -> Check:
    return check_dummy(rivals(new, rows_of_vault=rows_of_vault), skill=skill, confidence=0.95).check


def test_a_useful_model_beats_the_dummy() -> None:
    assert dummy_check(scored(1.0)).passed is True


def test_a_useless_model_is_refused() -> None:
    check = dummy_check(scored(0.0))

    assert (check.passed, "look at the columns" in check.why) == (False, True)


def test_a_model_that_gains_less_than_the_declared_share_is_refused() -> None:
    """Its gain is sure, and is a good half of what a perfect answer would gain."""
    assert dummy_check(scored(1.0), skill=0.4).passed is True
    assert dummy_check(scored(1.0), skill=0.7).passed is False


def test_a_challenger_need_not_be_sure_to_beat_a_constant() -> None:
    """In hard days nobody is: that it is better than what serves is the champion's question."""
    weak, few = scored(0.5, rows=100), vault(rows=100, blocks=5)
    first, challenger = rivals(weak, rows_of_vault=few), rivals(weak, weak, rows_of_vault=few)

    alone = check_dummy(first, skill=0.01, confidence=0.975).check
    beside = check_dummy(challenger, skill=0.01, confidence=0.975).check

    assert alone.found is not None
    assert 0.5 < alone.found < 0.975
    assert (alone.passed, beside.passed) == (False, True)
    assert "0.5 is needed" in beside.why


def test_a_challenger_that_is_worse_than_a_constant_is_refused() -> None:
    upside_down = Scored(1.0 - scored(1.0).predicted)
    challenger = rivals(upside_down, scored(1.0))

    assert check_dummy(challenger, skill=0.01, confidence=0.975).check.passed is False


def test_where_no_answer_beats_a_constant_nothing_does() -> None:
    """Acting never pays, so the constant answer is perfect."""
    never = value_yardstick({"true_positive": -1.0, "false_positive": -3.0})
    found = check_dummy(
        rivals(Scored(np.zeros(1000)), yardstick=never), skill=0.01, confidence=0.95
    )

    assert found.check.passed is True  # the fixture's constant acts always, which is not the best
    same = Rivals(vault(), never, LOSS, Scored(np.zeros(1000)), None, Scored(np.zeros(1000)), 2, 0)
    assert check_dummy(same, skill=0.01, confidence=0.95).check.passed is False


@pytest.mark.parametrize(
    ("new", "rows_of_vault"),
    [(BROKEN, vault()), (scored(1.0), vault(blocks=2)), (Scored(np.empty(0)), vault(0))],
)
def test_what_cannot_be_compared_with_the_dummy_is_not_let_in(
    new: Scored, rows_of_vault: Vault
) -> None:
    assert dummy_check(new, rows_of_vault).passed is None


def shuffled(seed: int) -> Rivals:
    """A line that was fitted to shuffled values, timid as a small learning rate leaves it."""
    random = np.random.default_rng(seed)
    columns = random.normal(size=(3000, 8))
    truth = columns @ np.array([1.0, 0.5, *[0.0] * 6]) + random.normal(size=3000)
    truth += np.linspace(0.0, 0.6, 3000)
    seen, unseen = slice(0, 2000), slice(2000, 3000)
    labels = random.permutation(truth[seen])
    line = np.linalg.lstsq(columns[seen], labels - labels.mean(), rcond=None)[0]
    blocks = np.arange(1000) // 40
    rows_of_vault = Vault(pa.table({"x": blocks}), truth[unseen], blocks, truth[seen])
    return Rivals(
        rows_of_vault,
        with_rows(METRICS["rmse"]),
        proper_score("regression"),
        Scored(labels.mean() + 0.3 * columns[unseen] @ line),
        None,
        Scored(np.full(1000, labels.mean())),
        classes=0,
        seed=0,
    )


def test_no_first_regression_model_of_shuffled_labels_passes() -> None:
    """Some beat the mean surely: by chance they lean the right way on a column that matters."""
    beat_the_mean = passed = 0
    for seed in range(30):
        case = shuffled(seed)
        gain = case.gain(case.yardstick, "new", "constant")
        dummy = check_dummy(case, skill=0.01, confidence=0.95).check
        slope = check_slope(case.vault, case.new, None, confidence=0.95, seed=0)
        beat_the_mean += gain is not None and gain.probability >= 0.95
        passed += dummy.passed is True and slope.passed is True

    assert (beat_the_mean > 5, passed) == (True, 0)


def compared(
    new: Scored,
    old: Scored,
    reason: str = "nightly",
    yardstick: Yardstick = AUC,
    rows_of_vault: Vault | None = None,
    **required: object,
) -> Compared:
    return check_champion(
        rivals(new, old, yardstick, rows_of_vault),
        rule=rule_for(reason, has_champion=True),
        reason=reason,
        required=BeatsChampion.model_validate(required),
    )


def test_a_better_challenger_is_promoted() -> None:
    assert compared(scored(2.0), scored(1.0)).check.passed is True


def test_a_worse_or_equal_challenger_is_refused() -> None:
    worse = compared(scored(1.0), scored(2.0)).check

    assert (worse.passed, "it is worse, and the champion stays" in worse.why) == (False, True)
    assert compared(scored(1.0), scored(1.0)).check.passed is False


def test_a_gain_below_a_margin_in_the_metrics_unit_is_refused_and_the_owner_is_told() -> None:
    """As earlier versions read it."""
    check = compared(scored(2.0), scored(1.0), margin=0.4).check

    assert check.passed is False
    assert "write a share of the champion's gain" in check.why


def test_a_margin_in_the_metrics_unit_does_not_count_beside_a_value() -> None:
    check = compared(scored(2.0), scored(1.0), yardstick=DOLLARS, margin=5.0).check

    assert check.passed is True
    assert "counts for nothing beside a declared value" in check.why


@pytest.mark.parametrize("rows_of_vault", [vault(blocks=2), vault(0)])
def test_too_few_blocks_cannot_tell_two_models_apart(rows_of_vault: Vault) -> None:
    rows = len(rows_of_vault.truth)
    new, old = scored(2.0, rows=rows), scored(1.0, rows=rows)

    found = compared(new, old, rows_of_vault=rows_of_vault)

    assert (found.check.passed, "3 blocks" in found.check.why) == (None, True)
    assert found.gain is None


def test_a_champion_that_says_nonsense_cannot_be_compared() -> None:
    assert compared(scored(2.0), BROKEN).check.passed is None


def test_rows_too_few_to_see_a_gain_say_so_and_the_champion_stays() -> None:
    new, old = scored(1.3, seed=3, rows=300), scored(1.2, rows=300)

    found = compared(new, old, rows_of_vault=vault(300, blocks=12))

    assert found.check.passed is False
    assert found.seen is not None
    assert f"a gain below {AUC.describe(found.seen)} could not be seen" in found.check.why
    assert "300 rows in 12 blocks" in found.check.why
    assert found.gain is not None
    assert found.gain.low == pytest.approx(
        found.gain.value - found.seen
    )  # the lower end of the interval at 0


def test_a_model_is_not_worse_than_itself() -> None:
    """Every draw's gain is exactly 0, so nothing is unsure."""
    for yardstick in (AUC, DOLLARS):
        same = compared(scored(2.0), scored(2.0), "age", yardstick)

        assert same.check.found == 1.0
        assert same.check.passed is True
        assert "-0" not in same.check.why


def test_a_model_is_not_worse_than_itself_where_the_champion_gains_nothing() -> None:
    useless = scored(-1.0)
    found = compared(useless, useless, "age")

    assert (found.check.passed, found.margin) == (True, 0.0)


def test_the_margin_is_a_share_of_what_the_champion_gains_over_a_constant() -> None:
    old = scored(2.0)
    found = compared(old, old, "age", margin="20%")

    assert found.margin == pytest.approx(0.2 * (AUC.score(vault().truth, old.predicted) - 0.5))


def test_a_refresh_need_not_be_better() -> None:
    """The same model with a little noise: no gain, and no loss beyond the margin."""
    new, old = Scored(scored(2.0).predicted + 1e-6), scored(2.0)

    assert compared(new, old).check.passed is False
    assert compared(new, old, "age").check.passed is True
    assert compared(new, old, "age", margin=0.01).check.passed is True


def test_a_refresh_that_is_worse_is_refused() -> None:
    assert compared(scored(1.0), scored(2.0), "age").check.passed is False


def test_a_refresh_that_is_worse_by_more_than_the_margin_is_refused_however_many_blocks() -> None:
    """A margin in units of the sampling noise grew with the root of the blocks (hash split: 400)."""
    old = scored(2.0)
    flipped = old.predicted.copy()
    flipped[::8] = 1.0 - flipped[::8]

    found = compared(Scored(flipped), old, "age", rows_of_vault=vault(blocks=400))

    assert found.gain is not None
    assert found.gain.high < 0.0
    assert found.check.passed is False


def moved(base: Scored, by: float) -> Scored:
    """The same order with log-odds moved: a base rate that was learnt anew."""
    odds = np.log(base.predicted / (1.0 - base.predicted)) + by
    return Scored(1.0 / (1.0 + np.exp(-odds)))


@pytest.mark.parametrize("reason", ["performance", "benefit", "prior"])
def test_an_alarm_by_loss_is_answered_by_a_sure_gain_in_loss(reason: str) -> None:
    """A base rate that moved: no rank changes, so `roc_auc` alone would never promote the answer."""
    right = scored(1.5)
    found = compared(right, moved(right, 2.0), reason)

    assert found.check.passed is True
    assert f"The alarm was {reason}" in found.check.why
    assert found.gain is not None
    assert found.gain.value == pytest.approx(0.0, abs=1e-9)
    assert found.loss_gain is not None
    assert found.loss_gain.probability > 0.99


def test_nobody_who_did_not_ask_is_answered_by_loss() -> None:
    right = scored(1.5)

    assert compared(right, moved(right, 2.0), "nightly").check.passed is False
    assert compared(right, moved(right, 2.0), "drift").check.passed is False


def test_a_gain_in_loss_that_costs_value_is_refused() -> None:
    """Better probabilities, and a threshold that gives the champion's money away."""
    right = scored(1.5)
    honest, sharp = Scored(right.predicted, 0.97), Scored(moved(right, 2.0).predicted, 0.5)

    found = compared(honest, sharp, "performance", DOLLARS)

    assert found.loss_gain is not None
    assert found.loss_gain.probability > 0.99
    assert found.check.passed is False
    assert "not worse by more than $" in found.check.why


def test_an_alarm_without_any_sure_gain_keeps_the_champion() -> None:
    same = compared(scored(1.0), scored(1.0), "performance").check
    other = compared(scored(1.0, seed=5), scored(1.0), "performance").check

    assert (same.passed, other.passed) == (False, False)
    assert "score alike in every block" in same.why
    assert "could not be seen" in other.why


def test_a_sure_gain_of_the_yardstick_answers_an_alarm_too() -> None:
    check = compared(scored(2.0), scored(1.0), "benefit").check

    assert (check.passed, check.limit) == (True, 0.975)


def test_where_the_yardstick_is_the_loss_there_is_one_question() -> None:
    by_loss = with_rows(METRICS["log_loss"])
    check = compared(scored(1.2), moved(scored(1.2), 2.0), "performance", by_loss).check

    assert (check.passed, check.limit) == (True, 0.975)
    assert "The alarm was" not in check.why


@pytest.mark.parametrize(
    ("reason", "has_champion", "rule"),
    [
        ("nightly", True, "superior"),
        ("drift", True, "superior"),
        ("age", True, "non-inferior"),
        ("prior", True, "alarm"),
        ("performance", True, "alarm"),
        ("age", False, "first"),
    ],
)
def test_the_rule_follows_the_reason(reason: str, has_champion: bool, rule: str) -> None:
    assert rule_for(reason, has_champion=has_champion) == rule


def test_the_verdict_holds_what_each_measure_says() -> None:
    both = rivals(scored(2.0), scored(1.0), DOLLARS)
    gain = both.gain(DOLLARS, "new", "old")

    found = measured(both, DOLLARS, gain)

    assert gain is not None
    assert (found.name, found.unit, found.gain) == ("value", "$", gain.value)
    assert found.score == pytest.approx((found.baseline or 0.0) + gain.value)
    alone = measured(rivals(BROKEN), AUC, None)
    assert (alone.score, alone.baseline, alone.gain, alone.probability) == (None, None, None, None)


def test_no_rows_have_no_score() -> None:
    nothing = Vault(pa.table({"x": []}), np.empty(0), np.empty(0, dtype=np.int64), np.empty(0))

    assert measured(rivals(Scored(np.empty(0)), None, AUC, nothing), AUC, None).score is None
