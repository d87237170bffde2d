"""Everything that a run decides its days by: which model served, its rows, labels and history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from contract.errors import NotFound
from contract.prediction_log import ROW_REFERENCE, key_column
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.writer import Out
from methods.controller.days import ONE_DAY, Calendar
from methods.controller.history import History, ServingModel
from methods.controller.policy import Policy
from methods.tables.snapshot import Snapshot
from tasks.monitoring.evidence.champions import MonitoredModel, MonitoredModels
from tasks.monitoring.evidence.label_versions import from_feedback, from_source
from tasks.monitoring.evidence.labels import JoinedLabels
from tasks.monitoring.evidence.log import ServedDay, read_log


@dataclass(frozen=True)
class MonitoringContext:
    """What there is at the run; each day takes the part that was there at its end."""

    problem: Problem
    calendar: Calendar
    policy: Policy
    models: Mapping[date, MonitoredModel]
    """The champion of each day."""
    served: Mapping[date, ServedDay]
    labels: JoinedLabels | None
    history: History
    since: Mapping[str, datetime]
    """By digest: the end of the champion's data."""
    run: str
    """The run that decides."""
    until: datetime
    """The end of its window: later records and entries are not known to it."""
    store: Store
    """For what was kept of a day long ago."""
    former: Callable[[str], MonitoredModel | None]
    """A model that served before, by digest; None where it is no longer kept."""
    notes: tuple[str, ...] = ()
    """What could not be looked at on any day, and why."""


def gather(
    *,
    problem: Problem,
    calendar: Calendar,
    policy: Policy,
    history: History,
    run: Run,
    snapshot: Snapshot,
    days: Sequence[date],
    out: Out,
) -> MonitoringContext:
    """Read served rows and labels of the days to decide and of the days before whose labels count.

    Args:
        problem: its file.
        calendar: of its time zone.
        policy: how far back is read.
        history: of the days before.
        run: the run that decides.
        snapshot: of the sources, among them the labels'.
        days: to decide; ascending, at least one.
        out: the store, and room for what is fetched.
    """
    models = MonitoredModels(out.store, problem.name, out.scratch)
    first = days[0] - policy.label_days * ONE_DAY
    span = [first + n * ONE_DAY for n in range((days[-1] - first).days + 1)]
    serving = {day: _serving(history, calendar.end(day), run) for day in span}
    by_day: dict[date, MonitoredModel] = {day: models.of(serving[day].digest) for day in span}
    served = read_log(out.store, problem.name, calendar, by_day)
    for day in span:
        former = history.serving_from(calendar.begin(day))
        if former is not None and former.digest != serving[day].digest:
            _leave_to_former(
                out.store, problem, calendar, day, models.of(former.digest), by_day, served
            )
    labels, notes = _labels(problem, snapshot, [served[day] for day in sorted(served)], out)
    return MonitoringContext(
        problem=problem,
        calendar=calendar,
        policy=policy,
        models=by_day,
        served=served,
        labels=labels,
        history=history,
        since={
            model.digest: history.first_deployed(model.digest, model.since)
            for model in serving.values()
        },
        run=run.run_id,
        until=run.window_end,
        store=out.store,
        former=partial(_kept_model, models),
        notes=notes,
    )


def _leave_to_former(  # noqa: PLR0917 - what the log is read with, and what it changes
    store: Store,
    problem: Problem,
    calendar: Calendar,
    day: date,
    former: MonitoredModel,
    models: dict[date, MonitoredModel],
    served: dict[date, ServedDay],
) -> None:
    """Give the day of a promotion to the model before, where that one answered most of its rows."""
    rows = read_log(store, problem.name, calendar, {day: former}).get(day)
    if rows is None or (day in served and served[day].profile.rows >= rows.profile.rows):
        return
    models[day], served[day] = former, rows


def _kept_model(models: MonitoredModels, digest: str) -> MonitoredModel | None:
    try:
        return models.of(digest)
    except NotFound:
        return None


def _serving(history: History, end: datetime, run: Run) -> ServingModel:
    """Return which model served on a day; the run's champion where the ledger does not tell."""
    serving = history.serving_at(end)
    if serving is not None or run.champion is None:
        return serving or ServingModel("", end)
    return ServingModel(run.champion.digest, run.champion.since)


def _labels(
    problem: Problem, snapshot: Snapshot, days: Sequence[ServedDay], out: Out
) -> tuple[JoinedLabels | None, tuple[str, ...]]:
    """Return the labels of the served rows, and a note where they cannot be joined."""
    if problem.labels.source == "feedback":
        versions = from_feedback(out.store, problem.name, days)
        return JoinedLabels(days, versions, ROW_REFERENCE), ()
    in_source = from_source(out.store, problem, snapshot, out.scratch / "labels")
    joined = [key_column(name) for name in problem.labels.on]
    has_keys = all(set(joined) <= set(day.lines.keys.column_names) for day in days)
    if in_source is not None and has_keys:
        return JoinedLabels(days, in_source, joined), ()
    return None, ("Labels cannot be joined: the log or the source lacks the key or target.",)
