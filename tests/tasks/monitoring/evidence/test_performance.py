"""The loss on labelled rows against the champion's own baseline."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import reference, world

from contract.performance import Performance
from methods.controller.policy import Policy
from methods.drift.profile import BlockLosses, DayProfile, ReferenceProfile
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.day_count import LogLines
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import baseline, measure

MAY = date(2013, 5, 1)


@pytest.fixture(scope="module")
def champion() -> MonitoredModel:
    """A champion that was never in a store: only its contract and its reference are read."""
    model = object.__new__(MonitoredModel)
    model.digest = "a" * 64
    model.reference = reference(rows=4_000)
    model.model = SimpleNamespace(  # type: ignore[assignment] # the two facts of a model that count
        contract=SimpleNamespace(task="binary", classes=(False, True), positive=True)
    )
    return model


class Kept:
    """A day of which only the scores are asked for."""

    def __init__(self, scores: np.ndarray) -> None:
        self._scores = scores

    def profile(self) -> DayProfile:
        raise NotImplementedError

    def sample(self) -> pa.Table:
        return pa.table({})

    def lines(self, number: int) -> LogLines:
        assert number == 0
        empty = np.zeros(len(self._scores), np.int64)
        return LogLines(empty, empty, self._scores, empty.astype(np.uint64), len(empty))


def days(
    champion: MonitoredModel,
    count: int,
    rows: int = 150,
    scenario: str = "none",
    known: float = 1.0,
) -> list[tuple[ServedDay, list[str | None]]]:
    """Return days, newest first; of each the first `known` share has a label."""
    labelled = []
    for n in range(count):
        _, scores, labels = world(rows, n, scenario)
        day = ServedDay(MAY - timedelta(days=n), champion.digest, rows, Kept(scores))
        texts = ["true" if label else "false" for label in labels]
        labelled.append((day, [t if i < known * rows else None for i, t in enumerate(texts)]))
    return labelled


def measured(performance: Performance | None) -> Performance:
    assert performance is not None
    return performance


def test_a_model_that_is_as_it_was_is_near_its_baseline(champion: MonitoredModel) -> None:
    performance = measured(measure(champion, days(champion, 10), 7, Policy()))

    assert abs(performance.change) < 0.05
    assert abs(performance.z) < 2
    assert (performance.n_labelled, performance.coverage) == (7 * 150, 1.0)
    assert (performance.first, performance.last) == (MAY - timedelta(days=6), MAY)


def test_a_concept_that_changed_shows_in_the_loss(champion: MonitoredModel) -> None:
    performance = measured(measure(champion, days(champion, 7, scenario="concept"), 7, Policy()))

    assert performance.change > 0.2
    assert performance.z > performance.z_limit == Policy().forward_z
    assert performance.low < performance.cur < performance.high


def test_days_are_added_until_there_are_500_rows(champion: MonitoredModel) -> None:
    performance = measured(measure(champion, days(champion, 20, rows=40), 7, Policy()))

    assert performance.n_labelled == 13 * 40


def test_fewer_than_500_rows_give_no_loss(champion: MonitoredModel) -> None:
    assert measure(champion, days(champion, 3), 7, Policy()) is None
    assert measure(champion, [], 7, Policy()) is None


def test_days_younger_than_their_labels_do_not_count_as_uncovered(champion: MonitoredModel) -> None:
    young, *others = days(champion, 9, known=0.8)
    unknown = (young[0], [None] * 150)

    performance = measured(measure(champion, [unknown, *others], 7, Policy()))

    assert performance.coverage == pytest.approx(0.8)
    assert performance.last == MAY - timedelta(days=1)


def test_a_class_with_under_50_rows_gives_no_loss(champion: MonitoredModel) -> None:
    rare = [
        (day, [label if label == "false" else None for label in labels])
        for day, labels in days(champion, 10)
    ]

    assert measure(champion, rare, 7, Policy()) is None


def test_the_baseline_is_the_mean_of_the_forward_blocks(champion: MonitoredModel) -> None:
    profile = champion.reference
    blocks = (
        BlockLosses(block=0, rows=100, mean=0.4, deviation=0.2),
        BlockLosses(block=1, rows=300, mean=0.6, deviation=0.2),
    )

    losses, z_limit = baseline(profile.model_copy(update={"forward": blocks}), Policy())

    assert (losses.rows, losses.mean, z_limit) == (400, pytest.approx(0.55), Policy().forward_z)
    assert losses.deviation == pytest.approx((0.2**2 + 0.1**2 * 0.75) ** 0.5)


def test_without_a_forward_backtest_the_held_out_loss_counts_and_more_is_asked(
    champion: MonitoredModel,
) -> None:
    profile: ReferenceProfile = champion.reference.model_copy(update={"forward": ()})

    assert baseline(profile, Policy()) == (profile.losses, Policy().held_out_z)


def test_labels_are_read_as_the_model_spells_its_classes(champion: MonitoredModel) -> None:
    truth = champion.truth(["true", "false", None, "unknown"])

    assert truth.tolist()[:2] == [1.0, 0.0]
    assert np.isnan(truth[2:]).all()
