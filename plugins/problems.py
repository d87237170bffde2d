"""The page behind *Problems*: what needs a person, who serves, what was decided and done, and why.

All of it is the product's: verdicts and the ledger out of the store. Of Airflow it says which runs
are at work or failed; that its tasks ended well says nothing about a model.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from contract.decision import Decision
from contract.errors import PerennialError
from contract.formatting import format_digest
from contract.ledger_lines import LedgerLine, ledger_lines
from contract.outcome import run_outcome
from contract.problem import Problem, problem_files, problem_folders, read_problem
from contract.store.alert_state import read_alerts
from contract.store.champion_pointer import read_champion
from contract.store.decisions import read_decisions
from contract.store.documents import DamagedDocument
from contract.store.ledger import Ledger
from pages import Alert, Block, Level, Link, PageSection, Status, TableBlock, render
from plugins.reports import store
from plugins.runs import RunOfDag, newest_run, stages_of

PROJECT = Path(__file__).resolve().parent.parent
LAST = 5  # arbitrary: so many lines of the ledger are read at a glance
READ = 20  # arbitrary: days of one fault in a row, of an older ledger, become one line
LEVELS: dict[str, Level] = {
    "ok": "good",
    "watch": "good",
    "warn": "warn",
    "retrain": "warn",
    "blocked_data_quality": "bad",
}


def problems_page(readable: Collection[str]) -> str:
    """Return the page over the problems whose DAGs are in `readable`."""
    folders = os.environ.get("PERENNIAL_PROBLEMS") or str(PROJECT / "problems")
    rows: list[list[object]] = []
    sections: list[PageSection] = []
    alerts: list[Block] = []
    for name, path in problem_files(*problem_folders(folders)).items():
        if _dags(name)[0] not in readable:
            continue
        try:
            problem = read_problem(path)
            newest = {dag: newest_run(dag) for dag in _dags(problem.name)}
            alerts += [*_open_alerts(problem.name), *_failures(problem.name, newest)]
            rows.append(_row(problem, newest, alerts))
            sections.append(_ledger(problem.name, alerts))
        except PerennialError as error:
            alerts.append(Alert("bad", str(error)))
    columns = ["problem", "question", "serves", "since", "last verdict", "why", "last run"]
    table = TableBlock(
        columns, rows, empty="No problem is scheduled yet: `perennial init` makes one."
    )
    return render("Problems", sections=[PageSection("Who serves", *alerts, table), *sections])


def _dags(name: str) -> tuple[str, str]:
    return f"{name}__lifecycle", f"{name}__monitoring"


def _open_alerts(name: str) -> list[Block]:
    """Return what needs a person, a sentence each, with what to run."""
    try:
        state = read_alerts(store(), name)
    except DamagedDocument as error:
        return [Alert("bad", str(error))]
    return [
        Alert(
            "bad",
            f"{name}, since {each.since:%Y-%m-%d}: {each.finding.sentence} "
            f"What to run: {each.finding.command}",
        )
        for each in state.open
    ]


def _failures(name: str, newest: Mapping[str, RunOfDag | None]) -> list[Block]:
    """Return why the newest runs of a problem failed, a sentence each."""
    found: list[Block] = []
    for dag_id, run in newest.items():
        if run is None or run.state != "failed":
            continue
        failed = [stage for stage in stages_of(dag_id, run.run_id) if stage.state == "failed"]
        why = next((stage.why for stage in failed if stage.why), None)
        names = ", ".join(stage.task for stage in failed) or "it"
        sentence = why or f"{names} was lost before it could say why; its log may tell."
        found.append(Alert("bad", f"{name}: {sentence}"))
    return found


def _row(
    problem: Problem, newest: Mapping[str, RunOfDag | None], alerts: list[Block]
) -> list[object]:
    """Return the line of a problem; a champion that cannot be read is one more alert."""
    champion, absent = None, "no model yet"
    try:
        champion = read_champion(store(), problem.name)
    except DamagedDocument as error:
        alerts.append(Alert("bad", str(error)))
        absent = "not known"
    lifecycle, monitoring = _dags(problem.name)
    decision = None
    try:
        decision = next(iter(read_decisions(store(), problem.name, last=1)), None)
    except DamagedDocument as error:
        alerts.append(Alert("bad", str(error)))
    return [
        problem.name,
        problem.question,
        format_digest(champion.digest) if champion else absent,
        champion.since if champion else None,
        _verdict(decision) if decision else None,
        _why(monitoring, decision) if decision else None,
        _link(lifecycle, newest[lifecycle], champion.digest if champion else None),
    ]


def _verdict(decision: Decision) -> Status:
    words = f"{decision.verdict.replace('_', ' ')}, {decision.day}"
    return Status(LEVELS.get(decision.verdict, "neutral"), words)


def _why(monitoring: str, decision: Decision) -> Link:
    """Return the verdict's sentence, which leads to the page of the day."""
    return Link(decision.sentence or "its page", f"./day/{quote(monitoring)}/{decision.day}")


def _link(dag_id: str, run: RunOfDag | None, champion: str | None) -> Link | None:
    """Return what came of the newest run, which leads to its report; its state while it is at work."""
    if run is None:
        return None
    outcome = None
    if run.state == "success":
        results = {
            stage.task: stage.result for stage in stages_of(dag_id, run.run_id) if stage.result
        }
        outcome = run_outcome(dag_id.rpartition("__")[0], results, champion)
    text = outcome.word if outcome else run.state
    return Link(text, f"./report/{quote(dag_id)}?{urlencode({'run_id': run.run_id})}")


def _ledger(name: str, alerts: list[Block]) -> PageSection:
    """Return the newest lines; a ledger that cannot be read is one more alert."""
    lines, empty = list[LedgerLine](), "Nothing was done yet."
    try:
        lines = ledger_lines(Ledger(store(), name).newest(READ))[-LAST:]
    except DamagedDocument as error:
        alerts.append(Alert("bad", str(error)))
        empty = "It cannot be read."
    rows = [_line(line) for line in reversed(lines)]
    columns = ["when", "what", "model", "by", "why"]
    return PageSection(f"Ledger of {name}", TableBlock(columns, rows, empty=empty))


def _line(line: LedgerLine) -> list[object]:
    entry = line.entry
    digest = format_digest(entry.digest)
    return [entry.at, entry.kind, digest, entry.by, line.reason]
