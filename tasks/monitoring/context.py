"""Everything that a run decides its days by: which model served, its rows, labels and history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from contract.errors import NotFound
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.writer import Out
from methods.controller.days import ONE_DAY, Calendar
from methods.controller.history import History, ServingModel
from methods.controller.policy import Policy
from methods.tables.snapshot import Snapshot
from tasks.monitoring.evidence.champions import MonitoredModel, MonitoredModels
from tasks.monitoring.evidence.compaction import compact
from tasks.monitoring.evidence.label_parts import SourceLabels
from tasks.monitoring.evidence.label_source import (
    expected_lateness,
    joined_columns,
    log_notes,
    open_labels,
    read_versions,
)
from tasks.monitoring.evidence.labels import JoinedLabels
from tasks.monitoring.evidence.lateness import Lateness, days_back
from tasks.monitoring.evidence.log import ServedDay, read_log
from tasks.monitoring.evidence.segments import SegmentLog


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
    source = open_labels(out.store, problem, snapshot, out.scratch / "labels")
    lateness = expected_lateness(out.store, problem, source, days[0])
    first = days[0] - days_back(lateness, policy) * ONE_DAY
    span = [first + n * ONE_DAY for n in range((days[-1] - first).days + 1)]
    serving = {day: _serving(history, calendar.end(day), run) for day in span}
    by_day = {
        day: model
        for day in span
        if (model := _kept_model(models, serving[day].digest, is_needed=day >= days[0]))
    }
    log = SegmentLog(out.store, problem.name, calendar, first, out.scratch)
    compact(log, out.scratch)
    joined = joined_columns(problem)
    served = read_log(log, by_day, joined)
    for day in by_day:
        before = history.serving_from(calendar.begin(day))
        if before is not None and before.digest != serving[day].digest:
            former = _kept_model(models, before.digest, is_needed=day >= days[0])
            _leave_to_former(log, joined, day, former, by_day, served)
    since = {
        model.digest: history.first_deployed(model.digest, model.since)
        for model in serving.values()
    }
    oldest = min(calendar.begin(first), *(since[serving[day].digest] for day in days))
    labels, notes = _labels(problem, source, served, lateness, oldest, out)
    notes = (*log_notes(log, joined), *notes)
    return MonitoringContext(
        problem=problem,
        calendar=calendar,
        policy=policy,
        models=by_day,
        served=served,
        labels=labels,
        history=history,
        since=since,
        run=run.run_id,
        until=run.window_end,
        store=out.store,
        former=partial(_kept_model, models),
        notes=notes,
    )


def _leave_to_former(  # noqa: PLR0917 - what the log is read with, and what it changes
    log: SegmentLog,
    joined: Sequence[str],
    day: date,
    former: MonitoredModel | None,
    models: dict[date, MonitoredModel],
    served: dict[date, ServedDay],
) -> None:
    """Give the day of a promotion to the model before, where that one answered most of its rows."""
    rows = None if former is None else read_log(log, {day: former}, joined).get(day)
    if former is None or rows is None or (day in served and served[day].rows >= rows.rows):
        return
    models[day], served[day] = former, rows


def _kept_model(
    models: MonitoredModels, digest: str, *, is_needed: bool = False
) -> MonitoredModel | None:
    """Return a model that served; None where it is no longer kept and can be done without."""
    try:
        return models.of(digest)
    except NotFound:
        if is_needed:
            raise
        return None


def _serving(history: History, end: datetime, run: Run) -> ServingModel:
    """Return which model served on a day; the run's champion where the ledger does not tell."""
    serving = history.serving_at(end)
    if serving is not None or run.champion is None:
        return serving or ServingModel("", end)
    return ServingModel(run.champion.digest, run.champion.since)


def _labels(  # noqa: PLR0917 - what labels are joined with
    problem: Problem,
    source: SourceLabels | None,
    served: Mapping[date, ServedDay],
    lateness: Lateness,
    since: datetime,
    out: Out,
) -> tuple[JoinedLabels | None, tuple[str, ...]]:
    """Return the labels of the served rows, and a note where they cannot be joined."""
    days = [served[day] for day in sorted(served)]
    versions = read_versions(out.store, problem, source, since)
    if versions is None:
        return None, ("Labels cannot be joined: their source lacks the key or the target.",)
    return JoinedLabels(days, versions, lateness), ()
