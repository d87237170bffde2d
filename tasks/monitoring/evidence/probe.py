"""The benefit probe: would a retraining that knows the newest labels be better? The best single signal.

It is the retraining itself at small cost: the champion's rows and what was labelled since, the
plan's strongest member with few iterations, the windows of time that a retraining compares, and a
recalibration beside it. Both are judged forward on the rows that would judge the challenger, day by
day in pairs. It is weaker than the whole plan, so a gain that it shows is real.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from contract.errors import Refused
from contract.performance import Probe
from methods.controller.losses import paired_z
from methods.controller.policy import Policy
from methods.drift.profile import Losses
from methods.models.dataset import Dataset
from methods.models.encoders.column import EncodingSettings
from methods.models.families import FAMILIES, PlannedMember, TrainingPlan
from methods.models.metrics import DEFAULTS, row_losses
from methods.retrain.adjust import AdjustRule, Served, adjust_forward
from methods.retrain.refit import compare_windows, quick_plan, quick_scores, windows
from methods.retrain.rows import RetrainRows, retrain_rows
from methods.retrain.thresholds import RetrainLimits
from methods.split.folds import PreparedAssignment, Rows
from methods.split.judged import DAY
from methods.split.weights import TrainingWindow
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.log import ServedDay
from tasks.monitoring.evidence.performance import LabelledDay

_ROUNDS = 100  # of the boosting that stands for a plan which is no longer kept


def try_refit(
    model: MonitoredModel,
    days: Sequence[LabelledDay],
    window: int,
    day: date,
    *,
    seed: int,
    policy: Policy,
    onset: int | None = None,
) -> Probe:
    """Refit in small and recalibrate, and compare the better one with the champion, forward.

    Args:
        model: the champion of all of `days`.
        days: newest first, with the labels as of the end of `day`.
        window: days that judge where no onset is known.
        day: of the decision.
        seed: of the refit.
        policy: how many rows are needed, and used at most.
        onset: the first moment of a change, microseconds since 1970; then the rows since judge.
    """
    if model.dataset is None:
        return skipped(day, "The rows that the champion was made from are no longer kept.")
    merged = _merge(model, model.dataset, days, policy.probe_rows)
    if merged is None:
        return skipped(day, "No row of the newest days has a label.")
    dataset, served = merged
    times = served.times
    begin = onset if onset is not None else _newest_days(times, window)
    judged = served.rows[times >= begin]
    needed = policy.probe_block_rows
    if len(judged) < needed:
        return skipped(
            day, f"{len(judged)} labelled rows in the newest block; {needed} are needed."
        )
    limits = policy.retrain.model_copy(update={"refits": policy.retrain.probe_refits})
    data = retrain_rows(dataset, np.sort(judged), 0.0, onset, limits)
    task = model.contract.task
    rule = AdjustRule(task, onset, moves_scores=True, choose_threshold=_middle, limits=limits)
    try:
        plan = model.plan or _plan_without_search(model, dataset, seed)
        candidates = [
            _refit(plan, data, limits),
            adjust_forward(served, data.steps, rule).forward.predicted,
        ]
    except (Refused, IndexError) as error:
        return skipped(day, f"A retraining could not be tried: {error}")
    at = served.positions(data.judged)
    before = row_losses(task, served.truth[at], served.scores[at])
    losses = [row_losses(task, served.truth[at], one) for one in candidates]
    saved = before - min(losses, key=lambda one: float(one.mean()))
    return Probe(
        day=day,
        gain=round(float(saved.mean() / before.mean()), 5) if before.mean() else 0.0,
        z=round(paired_z(_by_day(served.times[at], saved)), 3),
        rows=len(at),
        skipped=None,
    )


def skipped(day: date, reason: str) -> Probe:
    """Return a probe that was not tried, and why."""
    return Probe(day=day, gain=None, z=None, rows=0, skipped=reason)


def _refit(plan: TrainingPlan, data: RetrainRows, limits: RetrainLimits) -> Floats:
    """Return the forward scores of the quick plan, each step with the window of those before."""
    tried = windows(data.times[data.labelled], data.onset, plan.window, limits)[:2]
    chosen = compare_windows(plan, data, tried, limits)
    quick = quick_plan(plan, limits)
    scores = [
        quick_scores(quick, data, step, [window], limits)[0]
        for step, window in zip(data.steps, chosen, strict=True)
    ]
    return np.concatenate(scores)


def _merge(
    model: MonitoredModel, own: Dataset, days: Sequence[LabelledDay], most: int
) -> tuple[Dataset, Served] | None:
    """Put the champion's newest labelled rows and the served ones together; None without a label.

    Columns that were not served, or in another form, are missing there.
    """
    parts = [_labelled_rows(model, *each) for each in days]
    parts = [part for part in parts if len(part[1])]
    if not parts:
        return None
    schema = own.schema
    kept = np.flatnonzero(own.labelled)[-most:]
    names = [name for name in schema.names if name in own.table.column_names]
    event_time = schema.event_time or _MOMENT
    old = own.take(kept).select(names)
    if schema.event_time is None:
        old = old.append_column(_MOMENT, pa.array(np.zeros(len(kept), np.int64), _TIME))
    elif event_time not in names:
        old = old.append_column(event_time, own.take(kept)[event_time])
    tables = [old]
    for table, _, moments in parts:
        columns = {
            name: pa.array(moments, _TIME).cast(old[name].type)
            if name == event_time
            else _cast(table, name, old[name].type)
            for name in old.column_names
        }
        tables.append(pa.table(columns))
    truth = np.concatenate([own.truth[kept], *(part[1] for part in parts)])
    count = len(truth)
    dataset = Dataset(
        schema=schema.model_copy(update={"event_time": event_time}),
        table=pa.concat_tables(tables),
        truth=truth,
        assignment=PreparedAssignment(
            np.full(count, "train"), np.zeros(count, np.int64), np.zeros(count, np.int64)
        ),
    )
    rows: Rows = np.arange(len(kept), count)
    served = Served(
        rows=rows,
        times=np.concatenate([part[2] for part in parts]),
        truth=truth[len(kept) :],
        scores=np.concatenate([model.model.batch(part[0]) for part in parts]),
        threshold=0.5,
    )
    return dataset, served


_TIME = pa.timestamp("us", "UTC")
_MOMENT = "perennial_moment"  # of a problem without event times: the served rows are later than all others


def _cast(table: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    """Return a served column in the prepared rows' type; missing where it is absent or of another form."""
    if name in table.column_names:
        try:
            return table[name].cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
    return pa.nulls(table.num_rows, kind)


def _labelled_rows(
    model: MonitoredModel, day: ServedDay, labels: list[str | None]
) -> tuple[pa.Table, Floats, Rows]:
    """Return the sampled rows of a day whose label is known, their truth and their moments."""
    truth = model.truth(labels)[day.sampled]
    known = ~np.isnan(truth)
    moments = np.asarray(day.lines.moment[day.sampled][known], dtype=np.int64)
    return day.sample.filter(pa.array(known)), truth[known], moments


def _newest_days(times: Rows, count: int) -> int:
    """Return where the newest `count` days with labels begin, microseconds since 1970."""
    days = np.unique(times // DAY)
    return int(days[-min(count, len(days))] * DAY)


def _by_day(times: Rows, saved: Floats) -> list[Losses]:
    """Return the saving of each day."""
    found = []
    for one in np.unique(times // DAY):
        part = saved[times // DAY == one]
        found.append(Losses(rows=len(part), mean=float(part.mean()), deviation=float(part.std())))
    return found


def _middle(truth: Floats, scores: Floats) -> float:  # noqa: ARG001 - the form of a choice
    """Return one half: the proper loss knows no threshold."""
    return 0.5


def _plan_without_search(model: MonitoredModel, dataset: Dataset, seed: int) -> TrainingPlan:
    """Return boosting with its default settings, where the champion's own plan is no longer kept."""
    from methods.models.families.family import Shape  # noqa: PLC0415 - this case alone

    schema = dataset.schema
    family = FAMILIES["boosting"]
    metric = DEFAULTS[schema.task]
    shape = Shape(schema.task, len(schema.classes), (), metric)
    member = PlannedMember(
        family=family.name,
        settings=family.defaults(shape),
        iterations=_ROUNDS,
        seed=seed,
        weight=1.0,
    )
    return TrainingPlan(
        task=schema.task,
        classes=schema.classes,
        metric=metric,
        members=(member,),
        encoding=EncodingSettings(),
        window=TrainingWindow(),
        calibration="none",
        threshold=None,
        rows=max(1, model.model.card.rows),
        seed=seed,
        score=0.0,
    )
