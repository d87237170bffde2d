"""The answers to a change: which of them brings back what was lost, and that none cheats."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from fixtures_change import changing, changing_dataset, moment, small_plan

from bundle.arrays import Floats
from methods.models.calibration import apply_calibration
from methods.models.dataset import Dataset
from methods.models.metrics import row_losses
from methods.retrain.adjust import (
    AdjustRule,
    Served,
    adjust_forward,
    composed,
    fit_adjustment,
)
from methods.retrain.forward import Forward, OutOfFold, Recovery, measure_recovery
from methods.retrain.refit import RefitResult, compare_windows, fit_window, refit_forward, windows
from methods.retrain.rows import RetrainRows, judge_informed, retrain_rows
from methods.retrain.thresholds import RetrainLimits
from methods.split.weights import TrainingWindow

LIMITS = RetrainLimits(onset_rows=200)
DAYS, ROWS, CHANGE, HISTORY = 16, 250, 12, 12


def one_half(truth: Floats, scores: Floats) -> float:
    return 0.5


def world(**change: float) -> RetrainRows:
    """Twelve days of one world, four of another, which judge."""
    dataset = changing_dataset(changing(DAYS, ROWS, CHANGE, **change))  # type: ignore[arg-type] # numbers
    return rows_of(dataset)


def rows_of(dataset: Dataset) -> RetrainRows:
    judged = np.arange(CHANGE * ROWS, DAYS * ROWS)
    return retrain_rows(dataset, judged, 0.0, moment(CHANGE), LIMITS)


def served(data: RetrainRows) -> Served:
    """What a champion that was fitted on the old world answers in the new one."""
    old = np.arange(HISTORY * ROWS)
    champion = fit_window(small_plan(), data, old, TrainingWindow(), LIMITS)
    rows = np.arange(CHANGE * ROWS, DAYS * ROWS)
    dataset = data.dataset
    return Served(
        rows, data.times[rows], dataset.truth[rows], champion.predict(dataset.take(rows)), 0.5
    )


def adjusted(data: RetrainRows, before: Served) -> Forward:
    rule = AdjustRule("binary", data.onset, True, one_half, LIMITS)  # noqa: FBT003 - moves the scores
    return adjust_forward(before, data.steps, rule).forward


@cache
def changed() -> tuple[RetrainRows, RefitResult]:
    """A changed effect, and the refits that answer it."""
    data = world(concept=1.4)
    return data, refitted(data)


def refitted(data: RetrainRows) -> RefitResult:
    tried = windows(data.times, data.onset, TrainingWindow(), LIMITS)
    chosen = compare_windows(small_plan(), data, tried, LIMITS)
    return refit_forward(small_plan(), data, chosen, OutOfFold(small_plan(), one_half), LIMITS)


def recovery(data: RetrainRows, before: Served, scores: Floats) -> Recovery:
    informed = np.isin(data.judged, data.informed)
    truth = data.dataset.truth[data.judged]
    old = before.scores[before.positions(data.judged)]
    baseline = 0.53  # of this world, by a champion that knows it
    return measure_recovery(
        small_plan(), truth[informed], old[informed], scores[informed], baseline
    )


def test_a_moved_base_rate_is_brought_back_by_new_probabilities_alone() -> None:
    data = world(base_rate=1.5)
    before = served(data)

    share = recovery(data, before, adjusted(data, before).predicted).share

    assert share is not None
    assert share > 0.7


def test_a_changed_effect_is_brought_back_best_by_a_refit_on_the_new_rows() -> None:
    data, result = changed()
    before = served(data)

    cheap = recovery(data, before, adjusted(data, before).predicted).share
    dear = recovery(data, before, result.forward.predicted).share

    assert cheap is not None
    assert dear is not None
    assert dear > cheap + 0.2
    assert result.shipped.window == TrainingWindow(since=moment(CHANGE))


def test_only_rows_whose_refits_could_know_of_the_change_judge() -> None:
    data, result = changed()

    judging = judge_informed(data, result.forward, LIMITS)

    assert len(judging.rows) == 3 * ROWS
    assert set(judging.step.tolist()) == {1, 2, 3}
    newest = result.forward.rows[result.forward.step == 3]
    assert np.array_equal(judging.rows[judging.step == 3], newest)


def test_where_these_are_too_few_all_rows_since_the_onset_judge() -> None:
    data, result = changed()
    limits = LIMITS.model_copy(update={"judged_days": 4})

    assert judge_informed(data, result.forward, limits) is result.forward


def test_no_judged_row_is_scored_by_what_its_own_or_a_later_label_taught() -> None:
    data, result = changed()
    step = data.steps[1]
    turned = data.dataset.truth.copy()
    later = data.times >= step.begins
    turned[later] = 1.0 - turned[later]
    other = replace(data, dataset=replace(data.dataset, truth=turned))

    here, there = result.forward, refitted(other).forward

    until = here.step <= 1
    assert np.array_equal(here.predicted[until], there.predicted[until])
    assert not np.array_equal(here.predicted[~until], there.predicted[~until])


def test_no_judged_row_is_adjusted_by_its_own_or_a_later_label() -> None:
    data = world(base_rate=1.5)
    before = served(data)
    step = data.steps[1]
    truth = np.where(before.times >= step.begins, 1.0 - before.truth, before.truth)

    here, there = adjusted(data, before), adjusted(data, replace(before, truth=truth))

    until = here.step <= 1
    assert np.array_equal(here.predicted[until], there.predicted[until])


def test_what_ships_has_learnt_more_than_its_twin() -> None:
    _, result = changed()

    assert set(result.twin.rows) < set(result.shipped.rows)


def test_before_anything_is_known_of_a_change_nothing_is_adjusted() -> None:
    data = world(base_rate=1.5)
    before = served(data)

    first = adjusted(data, before)

    of_first = first.step == 0
    assert np.array_equal(first.predicted[of_first], before.scores[of_first])


def test_a_threshold_is_chosen_by_earlier_rows_alone() -> None:
    data = world()
    before = served(data)
    seen: list[int] = []

    def choose(truth: Floats, scores: Floats) -> float:
        seen.append(len(truth))
        assert len(truth) == len(scores)
        return 0.25

    rule = AdjustRule("binary", None, False, choose, LIMITS)  # noqa: FBT003 - the threshold alone
    result = adjust_forward(before, data.steps, rule)

    # The first step has no earlier row: the champion's own threshold decides.
    assert sorted(set(result.forward.threshold.tolist())) == [0.25, 0.5]
    assert np.array_equal(result.forward.predicted, before.scores)
    assert seen == [ROWS, 2 * ROWS, 3 * ROWS, 4 * ROWS]


def test_a_value_is_moved_by_its_mean_error() -> None:
    truth, scores = np.array([3.0, 5.0, 7.0]), np.array([1.0, 2.0, 6.0])

    moved = fit_adjustment("regression", truth, scores, 0.25)

    assert moved.apply(scores).mean() == pytest.approx(truth.mean())


def test_several_classes_are_adjusted_each() -> None:
    random = np.random.default_rng(0)
    scores = random.dirichlet([2.0, 2.0, 2.0], 900)
    truth = (random.random(900) < 0.6).astype(np.float64) * 2.0

    moved = fit_adjustment("multiclass", truth, scores, 0.25)

    after = moved.apply(scores)
    assert after.sum(axis=1) == pytest.approx(np.ones(900))
    assert (
        row_losses("multiclass", truth, after).mean()
        < row_losses("multiclass", truth, scores).mean()
    )


def test_one_map_stands_for_the_models_own_and_the_one_above_it() -> None:
    from bundle.documents import Isotonic, Platt

    scores = np.linspace(0.01, 0.99, 41)
    above = (Platt(a=0.8, b=0.6),)
    for own in ((Platt(a=1.3, b=-0.2),), (Isotonic(x=tuple(scores), y=tuple(scores**2)),), ()):
        both = apply_calibration(above, apply_calibration(own, scores))

        assert apply_calibration(composed(own, above), scores) == pytest.approx(both, abs=1e-12)


def test_where_nothing_was_lost_no_share_is_recovered() -> None:
    assert Recovery(lost=-0.1, recovered=0.2, at_deployment=0.5).share is None
