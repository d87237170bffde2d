"""Find what needs a person, and write what the owner is to be told.

Takes    problem, run
Makes    alerts, page    the open alerts, and a page of them
Facts    outcome, opened, messages   `quiet` or `open`; how many alerts are open, how many messages wait
Refuses  nothing
Source   Beyer et al., "Site Reliability Engineering", O'Reilly 2016, chapters 6 and 10
"""

from collections.abc import Mapping
from datetime import time
from typing import Literal

from contract.alerts import AlertState, SourceProgress
from contract.artifacts import Document, Page
from contract.problem import Problem
from contract.run import Run
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.alert_state import change_alerts
from contract.store.client import Store
from contract.store.decisions import read_decisions
from contract.store.ledger import Ledger
from contract.store.source_head import read_head
from contract.store.writer import Out
from contract.strict import Strict
from methods.controller.alert_changes import AlertBook
from methods.controller.alert_limits import AlertLimits
from methods.controller.alert_rules import AlertEvidence, due_day, find_alerts
from methods.controller.days import Calendar
from methods.controller.policy import Policy
from tasks.alerts.page import page


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document


class Params(Strict):
    """It has none: the problem file holds everything."""


class Outputs(Strict):
    """What the task makes."""

    alerts: Document
    page: Page
    outcome: Literal["quiet", "open"]
    opened: int
    messages: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Bring the alerts up to date, as of the run's `window_end`."""
    problem, run = read_problem_and_run(out.store, inputs)
    limits = Policy().alerts
    name = problem.main_source_name
    generation = read_head(out.store, problem.name, name)[0].generation
    evidence = _gather(out.store, problem, run, limits)
    book = AlertBook(problem.name, problem.owner, run.window_end, limits)

    def change(state: AlertState) -> AlertState:
        sources = _progress(state, name, generation, run)
        seen = evidence.model_copy(
            update={"data_since": sources[name].since if name in sources else None}
        )
        after = book.update(state, find_alerts(seen, limits))
        return after.model_copy(update={"sources": sources})

    state = change_alerts(out.store, problem.name, change)
    return Outputs(
        alerts=out.document("alerts", state),
        page=out.page("page", page(problem, state, run.window_end)),
        outcome="open" if state.open else "quiet",
        opened=len(state.open),
        messages=len(state.outbox),
    )


def _gather(store: Store, problem: Problem, run: Run, limits: AlertLimits) -> AlertEvidence:
    """Read the newest decisions and entries of the ledger; a later run knows more than this one."""
    since = run.champion.since if run.champion else None
    decisions = read_decisions(store, problem.name, last=limits.decisions_read)
    return AlertEvidence(
        problem=problem.name,
        now=run.window_end,
        decisions=tuple(each for each in decisions if each.at <= run.window_end),
        entries=tuple(Ledger(store, problem.name).newest(limits.entries_read)),
        serves=run.champion is not None,
        due=due_day(
            Calendar(problem.timezone),
            run.window_end,
            time.fromisoformat(problem.monitoring.at),
            problem.alerts.after,
            since,
        ),
        source=problem.main_source_name,
        data_since=None,
        data_age=problem.alerts.data_age,
    )


def _progress(
    state: AlertState, source: str, generation: int, run: Run
) -> Mapping[str, SourceProgress]:
    """Return when the source had new rows last: this run, where its generation is another one."""
    known = state.sources.get(source)
    is_new = known is None or known.generation != generation or run.window_end < known.since
    if not generation or not is_new:
        return state.sources
    return {**state.sources, source: SourceProgress(generation=generation, since=run.window_end)}


task = Task("alerts", run)
