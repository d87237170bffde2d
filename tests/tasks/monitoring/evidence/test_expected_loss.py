"""What scores let expect, and in which rows the loss is worse than that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import reference, world

from methods.controller.policy import Policy
from methods.drift.profile import DayProfile
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.day_count import LogLines
from tasks.monitoring.evidence.expected_loss import estimate_loss, expected_losses
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import LabelledDay
from tasks.monitoring.evidence.segment_losses import segment_losses

MAY = date(2013, 5, 1)


@dataclass
class Kept:
    """A day in memory."""

    table: pa.Table
    scores: np.ndarray

    def profile(self) -> DayProfile:
        raise NotImplementedError

    def sample(self) -> pa.Table:
        return self.table

    def lines(self, number: int) -> LogLines:
        assert number == 0
        empty = np.zeros(len(self.scores), np.int64)
        return LogLines(empty, empty, self.scores, empty.astype(np.uint64), len(empty))


def model_of(task: str) -> MonitoredModel:
    model = object.__new__(MonitoredModel)
    model.digest = "a" * 64
    model.reference = reference(rows=2_000)
    model.model = SimpleNamespace(  # type: ignore[assignment] # the facts of a model that count
        contract=SimpleNamespace(task=task, classes=(False, True), positive=True)
    )
    return model


def days(count: int, flipped: str | None = None, rows: int = 1_000) -> list[LabelledDay]:
    """Return days, newest first; labels of the `flipped` kind are the opposite."""
    labelled = []
    for n in range(count):
        table, scores, labels = world(rows, [n, 17])
        if flipped is not None:
            turned = np.array([kind == flipped for kind in table.column("kind").to_pylist()])
            labels = np.where(turned, 1 - labels, labels)
        day = ServedDay(MAY - timedelta(days=n), "a" * 64, rows, Kept(table, scores))
        labelled.append((day, ["true" if label else "false" for label in labels]))
    return labelled


def served(labelled: Sequence[LabelledDay]) -> list[ServedDay]:
    return [day for day, _ in labelled]


def test_the_expected_loss_of_a_probability_is_its_entropy() -> None:
    assert expected_losses(np.array([0.5, 1.0])).tolist() == pytest.approx([np.log(2), 0.0])
    by_class = expected_losses(np.array([[0.25, 0.25, 0.5], [1.0, 0.0, 0.0]]))
    assert by_class.tolist() == pytest.approx([1.5 * np.log(2), 0.0])


def test_a_calibrated_model_has_the_loss_that_was_expected() -> None:
    labelled = days(8)
    estimate = estimate_loss(model_of("binary"), served(labelled[:7]), labelled)

    assert estimate is not None
    assert (estimate.method, estimate.metric, estimate.rows) == ("cbpe", "log_loss", 7_000)
    assert estimate.tracked_days == 8
    assert estimate.tracked_error is not None
    assert estimate.tracked_error < 0.03


def test_a_changed_concept_shows_in_the_tracked_error_and_not_in_the_estimate() -> None:
    calm, changed = days(8), days(8, flipped="kind-0")
    before = estimate_loss(model_of("binary"), served(calm), calm)
    after = estimate_loss(model_of("binary"), served(changed), changed)

    assert before is not None
    assert after is not None
    assert after.value == before.value
    assert before.tracked_error is not None
    assert after.tracked_error is not None
    assert after.tracked_error > 5 * before.tracked_error


def test_a_regressions_loss_is_predicted_by_the_labelled_rows_of_other_days() -> None:
    random = np.random.default_rng(1)
    labelled: list[LabelledDay] = []
    for n in range(6):
        scores = random.uniform(0, 10, 500)
        truth = scores + random.normal(size=500) * (1 + scores)
        day = ServedDay(MAY - timedelta(days=n), "a" * 64, 500, Kept(pa.table({}), scores))
        labelled.append((day, [str(value) for value in truth]))
    model = model_of("regression")
    estimate = estimate_loss(model, served(labelled[:3]), labelled)

    assert estimate is not None
    assert (estimate.method, estimate.metric) == ("dle", "squared_error")
    assert estimate.value == pytest.approx(np.mean((1 + np.linspace(0, 10, 100)) ** 2), rel=0.15)
    assert estimate.tracked_error is not None
    assert estimate.tracked_error < 0.2 * estimate.value
    assert estimate_loss(model, served(labelled[:3]), []) is None


def test_the_segment_that_changed_is_named_first() -> None:
    found = segment_losses(model_of("binary"), days(7, flipped="kind-0"), 7, Policy())

    assert (found[0].column, found[0].value, found[0].is_worse) == ("kind", "kind-0", True)
    assert found[0].loss > 1.2 * found[0].expected
    assert [each.value for each in found if each.is_worse] == ["kind-0"]


def test_in_a_calm_world_no_segment_is_worse() -> None:
    worse = [
        each
        for seed in range(5)
        for each in segment_losses(model_of("binary"), days(7, rows=400 + seed), 7, Policy())
        if each.is_worse
    ]

    assert worse == []
