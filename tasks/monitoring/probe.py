"""The benefit probe: would a model that knows the newest labels be better? The best single signal.

A small boosted model on the champion's own encoding learns from the champion's rows and from what
was labelled since, up to the block before the newest one; on the newest block it is compared with
the champion, row by row. It is weaker than a whole search, so a gain that it finds is there.
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
from methods.models.dataset import Dataset
from methods.models.metrics import row_losses
from methods.split.parts import microseconds
from tasks.monitoring.champions import Champion
from tasks.monitoring.log import ServedDay

ROWS = 50_000
FEWEST_ROWS = 200  # of the newest block
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


def probe(
    champion: Champion,
    days: Sequence[tuple[ServedDay, list[str | None]]],
    window: int,
    day: date,
    seed: int,
) -> Probe:
    """Try a refit.

    Args:
        champion: who served on all of `days`.
        days: newest first, with the label of each line as of the end of `day`.
        window: days of the newest block.
        day: of the decision.
        seed: of the refit.
    """
    if champion.dataset is None:
        return skip(day, "The rows that the champion was made from are kept no longer.")
    known = [_served(champion, *each) for each in days]
    known = [rows for rows in known if len(rows.truth)]
    block, older = known[:window], known[window:]
    rows = sum(len(each.truth) for each in block)
    if rows < FEWEST_ROWS:
        return skip(day, f"{rows} labelled rows in the newest block; {FEWEST_ROWS} are needed.")
    past = _past(champion, champion.dataset)
    training = _newest(_stack([past, *older]), ROWS)
    if champion.contract.task != "regression" and len(np.unique(training.truth)) < _classes(
        champion
    ):
        return skip(day, "A class has no row to learn from.")
    newest = _stack(block)
    booster = _fit(champion, training, seed)
    predicted = np.asarray(booster.predict(newest.encoded), dtype=np.float64)
    task = champion.contract.task
    before = row_losses(task, newest.truth, champion.model.scores(newest.encoded))
    after = row_losses(task, newest.truth, predicted)
    saved = before - after
    error = float(saved.std()) / len(saved) ** 0.5
    return Probe(
        day=day,
        gain=round(float(saved.mean() / before.mean()), 5) if before.mean() else 0.0,
        z=round(float(saved.mean()) / error, 3) if error else 0.0,
        rows=rows,
        skipped=None,
    )


def skip(day: date, why: str) -> Probe:
    """Return a probe that was not tried, and why."""
    return Probe(day=day, gain=None, z=None, rows=0, skipped=why)


def _served(champion: Champion, day: ServedDay, labels: list[str | None]) -> _Rows:
    truth = champion.truth(labels)[day.sampled]
    known = ~np.isnan(truth)
    table = day.sample.filter(pa.array(known))
    return _Rows(
        encoded=champion.model.encoder.batch(table),
        truth=truth[known],
        moment=day.lines.moment[day.sampled][known] / 1e6,
    )


def _past(champion: Champion, dataset: Dataset) -> _Rows:
    """Return the champion's own labelled rows, at most the 50,000 newest ones."""
    labelled = np.flatnonzero(dataset.labelled)
    table, truth = dataset.take(labelled), dataset.truth[labelled]
    name = dataset.schema.event_time
    moment = np.zeros(len(labelled))
    if name in table.column_names and not pc.any(pc.is_null(table[name])).as_py():
        moment = microseconds(table[name]) / 1e6
    newest = np.argsort(moment, kind="stable")[-ROWS:]
    return _Rows(
        encoded=champion.model.encoder.batch(table.take(pa.array(newest))),
        truth=truth[newest],
        moment=moment[newest],
    )


def _fit(champion: Champion, rows: _Rows, seed: int) -> "lightgbm.Booster":
    """Fit on rows that count half at half the span of time."""
    task = champion.contract.task
    span = float(np.ptp(rows.moment))
    weights = np.exp2(-2 * (rows.moment.max() - rows.moment) / span) if span else None
    settings = SETTINGS | {"objective": OBJECTIVES[task], "seed": seed}
    if task == "multiclass":
        settings |= {"num_class": _classes(champion)}
    data = lightgbm.Dataset(rows.encoded, rows.truth, weight=weights)
    return lightgbm.train(settings, data, ROUNDS)


def _classes(champion: Champion) -> int:
    return len(champion.classes)


def _stack(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(
        encoded=np.vstack([part.encoded for part in parts]),
        truth=np.concatenate([part.truth for part in parts]),
        moment=np.concatenate([part.moment for part in parts]),
    )


def _newest(rows: _Rows, most: int) -> _Rows:
    chosen = np.argsort(rows.moment, kind="stable")[-most:]
    return _Rows(rows.encoded[chosen], rows.truth[chosen], rows.moment[chosen])
