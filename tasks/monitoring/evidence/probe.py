"""The benefit probe: would a model that knows the newest labels be better? The best single signal.

A small boosted model on the champion's own encoding is fitted on the champion's rows and on what
was labelled since, up to the block before the newest one; on the newest block it is compared with
the champion, row by row. It is weaker than a whole search, so a gain that it shows is real.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle.arrays import Floats
from contract.decision import Probe
from methods.controller.losses import paired_z
from methods.controller.policy import Policy
from methods.drift.profile import Losses
from methods.models.dataset import Dataset
from methods.models.metrics import row_losses
from methods.split.parts import microseconds
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import LabelledDay

ROUNDS = 150
SETTINGS = {
    "num_leaves": 31,
    "learning_rate": 0.07,
    "min_data_in_leaf": 20,
    "num_threads": 1,  # the schedule runs several problems on two cores
    "deterministic": True,
    "verbose": -1,
}
OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}


@dataclass(frozen=True)
class _Rows:
    encoded: Floats
    truth: Floats
    moment: Floats
    """Seconds since 1970; equal ones where there is no time."""


def try_refit(
    model: MonitoredModel,
    days: Sequence[LabelledDay],
    window: int,
    day: date,
    *,
    seed: int,
    policy: Policy,
) -> Probe:
    """Fit a small model anew and compare it with the champion on the newest block.

    Args:
        model: the champion of all of `days`.
        days: newest first, with the labels as of the end of `day`.
        window: days of the newest block.
        day: of the decision.
        seed: of the refit.
        policy: how many rows are needed, and used at most.
    """
    if model.dataset is None:
        return skipped(day, "The rows that the champion was made from are no longer kept.")
    labelled_days = [_labelled_rows(model, *each) for each in days]
    labelled_days = [rows for rows in labelled_days if len(rows.truth)]
    block, older = labelled_days[:window], labelled_days[window:]
    rows = sum(len(each.truth) for each in block)
    needed = policy.probe_block_rows
    if rows < needed:
        return skipped(day, f"{rows} labelled rows in the newest block; {needed} are needed.")
    own = _own_rows(model, model.dataset, policy.probe_rows)
    training = _newest(_stack([own, *older]), policy.probe_rows)
    task = model.contract.task
    if task != "regression" and len(np.unique(training.truth)) < len(model.classes):
        return skipped(day, "A class has no labelled row.")
    newest = _stack(block)
    booster = _fit(model, training, seed)
    predicted = np.asarray(booster.predict(newest.encoded), dtype=np.float64)
    before = row_losses(task, newest.truth, model.model.scores(newest.encoded))
    after = row_losses(task, newest.truth, predicted)
    saved = before - after
    return Probe(
        day=day,
        gain=round(float(saved.mean() / before.mean()), 5) if before.mean() else 0.0,
        z=round(paired_z(_by_day(block, saved)), 3),
        rows=rows,
        skipped=None,
    )


def _by_day(block: Sequence[_Rows], saved: Floats) -> list[Losses]:
    """Return the saving of each day of the block, whose rows `saved` holds in their order."""
    ends = np.cumsum([len(each.truth) for each in block])[:-1]
    return [
        Losses(rows=len(part), mean=float(part.mean()), deviation=float(part.std()))
        for part in np.split(saved, ends)
    ]


def skipped(day: date, reason: str) -> Probe:
    """Return a probe that was not tried, and why."""
    return Probe(day=day, gain=None, z=None, rows=0, skipped=reason)


def _labelled_rows(model: MonitoredModel, day: ServedDay, labels: list[str | None]) -> _Rows:
    """Return the sampled rows of a day whose label is known."""
    truth = model.truth(labels)[day.sampled]
    known = ~np.isnan(truth)
    table = day.sample.filter(pa.array(known))
    return _Rows(
        encoded=model.model.encoder.batch(table),
        truth=truth[known],
        moment=day.lines.moment[day.sampled][known] / 1e6,
    )


def _own_rows(model: MonitoredModel, dataset: Dataset, most: int) -> _Rows:
    """Return the labelled rows of the champion's own run, at most the `most` newest ones."""
    labelled = np.flatnonzero(dataset.labelled)
    table, truth = dataset.take(labelled), dataset.truth[labelled]
    name = dataset.schema.event_time
    moment = np.zeros(len(labelled))
    if name in table.column_names and not pc.any(pc.is_null(table[name])).as_py():
        moment = microseconds(table[name]) / 1e6
    newest = np.argsort(moment, kind="stable")[-most:]
    return _Rows(
        encoded=model.model.encoder.batch(table.take(pa.array(newest))),
        truth=truth[newest],
        moment=moment[newest],
    )


def _fit(model: MonitoredModel, rows: _Rows, seed: int) -> "lightgbm.Booster":
    """Fit with weights that halve with every half of the span of time."""
    task = model.contract.task
    span = float(np.ptp(rows.moment))
    weights = np.exp2(-2 * (rows.moment.max() - rows.moment) / span) if span else None
    settings = SETTINGS | {"objective": OBJECTIVES[task], "seed": seed}
    if task == "multiclass":
        settings |= {"num_class": len(model.classes)}
    data = lightgbm.Dataset(rows.encoded, rows.truth, weight=weights)
    return lightgbm.train(settings, data, ROUNDS)


def _stack(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(
        encoded=np.vstack([part.encoded for part in parts]),
        truth=np.concatenate([part.truth for part in parts]),
        moment=np.concatenate([part.moment for part in parts]),
    )


def _newest(rows: _Rows, most: int) -> _Rows:
    chosen = np.argsort(rows.moment, kind="stable")[-most:]
    return _Rows(rows.encoded[chosen], rows.truth[chosen], rows.moment[chosen])
