"""The page behind *Problems*: who serves, what was said last, what was done and why."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from contract.errors import PerennialError
from contract.formatting import format_digest
from contract.ledger_lines import LedgerLine, ledger_lines
from contract.problem import Problem, problem_files, problem_folders, read_problem
from contract.store.champion_pointer import read_champion
from contract.store.documents import DamagedDocument
from contract.store.ledger import Ledger
from pages import Alert, Block, Level, Link, PageSection, Status, TableBlock, render
from plugins.reports import store
from plugins.runs import RunOfDag, newest_run, stages_of

PROJECT = Path(__file__).resolve().parent.parent
LAST = 5  # arbitrary: so many lines of the ledger are read at a glance
LEVELS: dict[str, Level] = {"ok": "good", "retrain": "warn", "blocked_data_quality": "bad"}


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
            alerts += _failures(problem.name, newest)
            rows.append(_row(problem, newest, alerts))
            sections.append(_ledger(problem.name, alerts))
        except PerennialError as error:
            alerts.append(Alert("bad", str(error)))
    columns = ["problem", "question", "serves", "since", "last verdict", "last run"]
    table = TableBlock(
        columns, rows, empty="No problem is scheduled yet: `perennial init` makes one."
    )
    return render("Problems", sections=[PageSection("Who serves", *alerts, table), *sections])


def _dags(name: str) -> tuple[str, str]:
    return f"{name}__lifecycle", f"{name}__monitoring"


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
    return [
        problem.name,
        problem.question,
        format_digest(champion.digest) if champion else absent,
        champion.since if champion else None,
        _verdict(monitoring, newest[monitoring]),
        _link(lifecycle, newest[lifecycle]),
    ]


def _verdict(dag_id: str, run: RunOfDag | None) -> Status | None:
    if run is None:
        return None
    results = {stage.task: stage.result for stage in stages_of(dag_id, run.run_id)}
    verdict = results.get("monitoring")
    if verdict is None:
        return Status("neutral", f"none: the run is {run.state}")
    return Status(LEVELS.get(verdict.outcome, "neutral"), verdict.outcome)


def _link(dag_id: str, run: RunOfDag | None) -> Link | None:
    if run is None:
        return None
    return Link(run.state, f"./report/{quote(dag_id)}?{urlencode({'run_id': run.run_id})}")


def _ledger(name: str, alerts: list[Block]) -> PageSection:
    """Return the newest lines; a ledger that cannot be read is one more alert."""
    lines, empty = list[LedgerLine](), "Nothing was done yet."
    try:
        lines = ledger_lines(Ledger(store(), name).entries())[-LAST:]
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
