"""Decide for every day since the last decision: is it still good, what should happen?

Takes    problem, run, snapshot
Makes    verdict               the newest day's decision, or the newest of the run that asks to retrain
         page                  of the same day, for a person at 06:00
Facts    outcome, reason, key  the verdict's word; why and under which name to retrain
         sentence, day, days   why in words; the day that is told; how many were decided
Refuses  nothing: bad news is a verdict, and exits 0
Source   Podkopaev and Ramdas, ICLR 2022; Regol et al., ICML 2025; `docs/lifecycle/monitoring.md`
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from contract.artifacts import Document, Page
from contract.canonical_json import canonical_json
from contract.decision import Decision, Outcome, Window
from contract.errors import Conflict
from contract.prediction_log import ROW_REFERENCE, key_column
from contract.problem import Problem
from contract.run import Run
from contract.runtime.task import Task
from contract.store.client import Store
from contract.store.documents import parse_document, read_artifact
from contract.store.layout import DayPageKey, DayProfileKey, DecisionKey
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from contract.strict import Strict
from methods.tables.snapshot import Snapshot
from tasks.monitoring.champions import Champion, Champions
from tasks.monitoring.day import LABEL_DAYS, World, judge
from tasks.monitoring.days import ONE_DAY, Days
from tasks.monitoring.labels import Labels, from_feedback, from_source
from tasks.monitoring.log import read_log
from tasks.monitoring.page import page
from tasks.monitoring.past import Past, Serving, read_past

MOST_DAYS = 56  # decided in one run; older ones of a long outage are not caught up
SHOWN_DAYS = 28  # on a page


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    snapshot: Document


class Params(Strict):
    """It has none: everything stands in the problem."""


class Outputs(Strict):
    """What the task makes."""

    verdict: Document
    page: Page
    outcome: Outcome
    reason: str | None
    key: str | None
    sentence: str
    day: str
    days: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Decide the days that end by `window_end`, each as of its own end."""
    store = out.store
    problem = read_artifact(store, inputs.problem, Problem)
    this = read_artifact(store, inputs.run, Run)
    calendar = Days(problem.timezone)
    ledger = Ledger(store, problem.name)
    past = read_past(store, problem.name, ledger.entries())
    days, missed = _due(calendar, past, this)
    if not days:
        return _nothing_due(problem, calendar, past, this, out)
    world = _world(
        problem=problem,
        calendar=calendar,
        past=past,
        this=this,
        snapshot=read_artifact(store, inputs.snapshot, Snapshot),
        days=days,
        missed=missed,
        out=out,
    )
    for day in days:
        _enter(ledger, _decide(store, world, day))
    told = _told(past, this)
    return _outputs(out, told, _page_of(store, told), len(days))


def _due(calendar: Days, past: Past, this: Run) -> tuple[list[date], int]:
    """Return the days to decide, ascending, and how many were too long ago."""
    if this.champion is None:
        return [], 0
    days = calendar.whole(this.champion.since, this.window_end)
    if past.days:
        first = past.days[-1] + ONE_DAY
        days = calendar.whole(calendar.begin(first), this.window_end)
    return days[-MOST_DAYS:], max(0, len(days) - MOST_DAYS)


def _serving(past: Past, end: datetime, this: Run) -> Serving:
    """Return who served on a day; the run's own champion where the ledger does not tell."""
    found = past.champion(end)
    if found is not None or this.champion is None:
        return found or Serving("", end)
    return Serving(this.champion.digest, this.champion.since)


def _world(
    *,
    problem: Problem,
    calendar: Days,
    past: Past,
    this: Run,
    snapshot: Snapshot,
    days: Sequence[date],
    missed: int,
    out: Out,
) -> World:
    """Read what served, what was asked and what turned out true, from 28 days before on."""
    store = out.store
    champions = Champions(store, problem.name, out.scratch)
    first = days[0] - LABEL_DAYS * ONE_DAY
    span = [first + n * ONE_DAY for n in range((days[-1] - first).days + 1)]
    serving = {day: _serving(past, calendar.end(day), this) for day in span}
    loaded: dict[date, Champion] = {day: champions.of(serving[day].digest) for day in span}
    served = read_log(store, problem.name, calendar, loaded)
    ordered = [served[day] for day in sorted(served)]
    notes = []
    if missed:
        notes.append(f"{missed} days before {days[0]} were not looked at: 56 days are the limit.")
    labels = None
    if problem.labels.source == "feedback":
        labels = Labels(ordered, from_feedback(store, problem.name, ordered), ROW_REFERENCE)
    else:
        versions = from_source(store, problem, snapshot, out.scratch / "labels")
        joined = [key_column(name) for name in problem.labels.on]
        has_keys = all(set(joined) <= set(day.lines.words.column_names) for day in ordered)
        if versions is not None and has_keys:
            labels = Labels(ordered, versions, joined)
        else:
            notes.append("Labels cannot be joined: the log or the source lacks the key or target.")
    return World(
        problem=problem,
        calendar=calendar,
        champions=loaded,
        served=served,
        labels=labels,
        past=past,
        since={each.digest: past.made(each.digest, each.since) for each in serving.values()},
        run=this.run_id,
        notes=tuple(notes),
    )


def _decide(store: Store, world: World, day: date) -> Decision:
    """Decide a day and write what belongs to it.

    The record is written last and once: it says that the day is done, and a run that comes second
    takes what the first one decided.
    """
    judged = judge(world, day)
    decision = judged.decision
    served = world.served.get(day)
    if served is not None:
        profile = canonical_json(served.profile.model_dump(mode="json"))
        key = DayProfileKey(decision.problem, day, served.digest[:16])
        store.put(str(key), profile, "application/json")
    earlier = [
        found
        for back in range(SHOWN_DAYS, 0, -1)
        if (found := world.past.decision(day - back * ONE_DAY)) is not None
    ]
    reference = world.champions[day].reference

    def show(decided: Decision) -> None:
        html = page(decided, earlier, reference, judged.window)
        store.put(str(DayPageKey(decided.problem, day)), html.encode(), "text/html; charset=utf-8")

    show(decision)
    record = str(DecisionKey(decision.problem, day))
    try:
        store.create(record, decision.canonical())
    except Conflict:
        decision = parse_document(store.get(record), Decision, record)
        show(decision)
    world.past.add(decision)
    return decision


def _told(past: Past, this: Run) -> Decision:
    """Return the newest decision, or the newest one of this run that asks for a retraining.

    A day in the middle of a catch-up may ask, and the days after it stand in its cool-down: their
    word must not hide the question. Data that is broken now does: it would be learnt.
    """
    newest = past.until(this.window_end)[-1]
    mine = [decision for decision in past.until(this.window_end) if decision.run == this.run_id]
    asking = [decision for decision in mine if decision.retrain]
    if asking and newest.verdict != "blocked_data_quality":
        return asking[-1]
    return newest


def _enter(ledger: Ledger, decision: Decision) -> None:
    """Write what a person wants to find in the history: asked to retrain, blocked."""
    if not decision.retrain and decision.verdict != "blocked_data_quality":
        return
    kind = "retrain" if decision.retrain else "blocked"
    ledger.append(
        LedgerEntry(
            id=f"monitoring/{decision.day}/{kind}",
            kind="retrain" if decision.retrain else "blocked",
            at=decision.at,
            written=datetime.now(UTC),
            run=decision.key or f"monitoring__{decision.day}",
            digest=decision.digest,
            reason=decision.sentence,
            reasons=tuple(fault.sentence for fault in decision.dq),
        )
    )


def _nothing_due(problem: Problem, calendar: Days, past: Past, this: Run, out: Out) -> Outputs:
    """Return what was decided before, as a run that is repeated does; else say why there is none."""
    if past.until(this.window_end):
        told = _told(past, this)
        return _outputs(out, told, _page_of(out.store, told), 0)
    sentence = "No model serves yet."
    if this.champion is not None:
        since = f"{this.champion.since:%Y-%m-%d %H:%M}"
        sentence = f"No whole day has passed since the model began to serve at {since}."
    known = Decision(
        problem=problem.name,
        day=calendar.of(this.window_end),
        at=this.window_end,
        run=this.run_id,
        digest=None if this.champion is None else this.champion.digest,
        verdict="insufficient_data",
        reason=None,
        sentence=sentence,
        next="Nothing starts; the next day is looked at.",
        retrain=False,
        suppressed_by=None,
        key=None,
        drift_detected=False,
        alarm=False,
        window=Window(days=(), rows=0, rows_of_day=0),
    )
    return _outputs(out, known, page(known, [], None, None), 0)


def _page_of(store: Store, decision: Decision) -> str:
    """Return the page of the decided day; what a damaged one cannot spell is shown as such."""
    return store.get(str(DayPageKey(decision.problem, decision.day))).decode(errors="replace")


def _outputs(out: Out, decision: Decision, html: str, days: int) -> Outputs:
    return Outputs(
        verdict=out.document("verdict", decision),
        page=out.page("page", html),
        outcome=decision.verdict,
        reason=decision.reason,
        key=decision.key,
        sentence=decision.sentence,
        day=str(decision.day),
        days=days,
    )


task = Task("monitoring", run)
