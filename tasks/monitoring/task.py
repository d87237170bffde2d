"""Decide for every day since the last decision: is it still good, what should happen?

Takes    problem, run, snapshot
Makes    verdict               the newest day's decision, or the newest of the run that asks to retrain
         page                  of the same day, for a person at 06:00
Facts    outcome, reason, key  the verdict's word; why and under which name to retrain
         sentence, day, days   why in words; the day that is reported; how many were decided
         blocked, cleared      the sentence of a data fault that began, or ended, in this run's days
         finding               what the owner should know, by an id that stays while it lasts
         onset, replay         the change's first day; True: fit the champion's plan, False: search
Refuses  nothing: bad news is a verdict, and exits 0
Source   Podkopaev and Ramdas, ICLR 2022; Regol et al., ICML 2025; `docs/lifecycle/monitoring.md`
"""

from datetime import date

from contract.artifacts import Document, Page
from contract.decision import Decision, Outcome
from contract.formatting import format_time
from contract.problem import Problem
from contract.run import Run
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.client import Store
from contract.store.documents import read_artifact
from contract.store.layout import DayPageKey
from contract.store.ledger import Ledger
from contract.store.retraining_lease import RetrainingLease, take_lease
from contract.store.writer import Out
from contract.strict import Strict
from methods.controller.attempts import has_ended
from methods.controller.days import Calendar
from methods.controller.decide import undecided
from methods.controller.due import due_days
from methods.controller.events import events_of
from methods.controller.history import History
from methods.controller.policy import Policy
from methods.tables.snapshot import Snapshot
from tasks.monitoring.context import MonitoringContext, gather
from tasks.monitoring.day import DecidedDay, decide_day
from tasks.monitoring.page import page
from tasks.monitoring.records import read_history, save_brief, save_day, write_events


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    snapshot: Document


class Params(Strict):
    """It has none: the problem file holds everything."""


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
    blocked: str | None
    cleared: str | None
    finding: str | None
    onset: str | None
    replay: bool | None


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Decide the days that end by `window_end`, each as of its own end."""
    return monitor(inputs, out, Policy())


def monitor(inputs: Inputs, out: Out, policy: Policy) -> Outputs:
    """Decide by `policy`, as `run` does by the product's own."""
    store = out.store
    problem, run = read_problem_and_run(store, inputs)
    calendar = Calendar(problem.timezone)
    ledger = Ledger(store, problem.name)
    history = read_history(store, problem.name, ledger)
    before = history.decided_by(run.window_end)
    if before:
        # A run that was killed may have decided a day and not have written its ledger entries.
        write_events(ledger, history, before[-1].day)
    days = 0
    if run.champion is not None:
        due = due_days(history, calendar, run.champion.since, run.window_end, policy)
        for day in due.brief:
            save_brief(store, problem, history, calendar, run, policy, day)
        days = len(due.brief)
        looked_at = sorted({*due.full, *due.empty})
        if looked_at:
            context = gather(
                problem=problem,
                calendar=calendar,
                policy=policy,
                history=history,
                run=run,
                snapshot=read_artifact(store, inputs.snapshot, Snapshot),
                days=looked_at,
                out=out,
            )
            for day in looked_at:
                if day in due.full or day in context.served:
                    save_day(store, context, _decide(store, context, day))
                    write_events(ledger, history, day)
                    days += 1
    if not history.decided_by(run.window_end):
        return _undecided(problem, calendar, run, policy, out)
    decision = _reported(history, run)
    html = store.get(str(DayPageKey(problem.name, decision.day))).decode(errors="replace")
    return _outputs(out, decision, html, days=days, events=_events(history, run))


def _decide(store: Store, context: MonitoringContext, day: date) -> DecidedDay:
    """Decide a day, and hold back a retraining while another one is in flight."""
    decided = decide_day(context, day)
    decision = decided.decision
    if not decision.retrain:
        return decided
    holder = take_lease(
        store,
        decision.problem,
        RetrainingLease(key=str(decision.key), run=decision.run, at=decision.at),
        context.policy.lease,
        lambda key: has_ended(context.history, key, context.until),
    )
    return decided if holder is None else decide_day(context, day, in_flight=holder.key)


def _reported(history: History, run: Run) -> Decision:
    """Return the newest decision, or the newest one of this run that asks for a retraining.

    A day in the middle of a catch-up may ask, and the days after it are in its cool-down: their
    verdict must not hide the request. Data that is broken now does hide it: a model would be fitted on it.
    """
    decisions = history.decided_by(run.window_end)
    newest = decisions[-1]
    asking = [each for each in decisions if each.run == run.run_id and each.retrain]
    if asking and newest.verdict != "blocked_data_quality":
        return asking[-1]
    return newest


def _events(history: History, run: Run) -> dict[str, str]:
    """Return the newest sentence of each kind of event on the days that this run decided."""
    return {
        kind: sentence
        for decision in history.decided_by(run.window_end)
        if decision.run == run.run_id
        for kind, sentence in events_of(history, decision.day)
    }


def _undecided(problem: Problem, calendar: Calendar, run: Run, policy: Policy, out: Out) -> Outputs:
    """Return that no day was decided yet, and why."""
    sentence = "No model serves yet."
    if run.champion is not None:
        since = format_time(run.champion.since)
        sentence = f"No whole day has passed since the model began to serve at {since}."
    decision = undecided(
        problem.name,
        calendar.day_of(run.window_end),
        run.window_end,
        run=run.run_id,
        digest=None if run.champion is None else run.champion.digest,
        sentence=sentence,
    )
    return _outputs(out, decision, page(decision, [], None, None, policy), days=0, events={})


def _outputs(
    out: Out, decision: Decision, html: str, *, days: int, events: dict[str, str]
) -> Outputs:
    return Outputs(
        verdict=out.document("verdict", decision),
        page=out.page("page", html),
        outcome=decision.verdict,
        reason=decision.reason,
        key=decision.key,
        sentence=decision.sentence,
        day=str(decision.day),
        days=days,
        blocked=events.get("blocked"),
        cleared=events.get("cleared"),
        finding=decision.finding,
        onset=None if decision.onset is None else str(decision.onset),
        replay=decision.replay,
    )


task = Task("monitoring", run)
