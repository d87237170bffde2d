"""Check what was collected, and set the rows aside that cannot be trusted.

Takes    problem, run, snapshot, expectations
Makes    tables              of each source: current rows, known by the window's end, one a key
         quarantine          of each source that has any: rows set aside, `perennial_reason` beside
         results, page       every check and what it found
Facts    rows, quarantined   of all sources together
Refuses  a critical check of the whole table, more rows set aside than `checks.quarantine.budget`,
         a source without a row in the window, a check that cannot be judged
Source   Schelter et al., "Automating Large-Scale Data Quality Verification", PVLDB 11(12), 2018
"""

from contract.artifacts import Document, Page, Table
from contract.expectations import ExpectationSuite
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.documents import read_artifact
from contract.store.writer import Out
from contract.strict import Strict
from methods.tables import sql as duck
from methods.tables.parquet import write_batches
from methods.tables.snapshot import Snapshot, View
from tasks.validation.expectations import of_source
from tasks.validation.page import page
from tasks.validation.results import SourceReport
from tasks.validation.validate import ranges_of, validate


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    snapshot: Document
    expectations: Document


class Params(Strict):
    """It has none: everything stands in the problem."""


class Results(Strict):
    """The document `results`."""

    sources: tuple[SourceReport, ...]


class Outputs(Strict):
    """What the task makes."""

    tables: dict[str, Table]
    quarantine: dict[str, Table]
    results: Document
    page: Page
    rows: int
    quarantined: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Validate one source after the other."""
    problem, run = read_problem_and_run(out.store, inputs)
    snapshot = read_artifact(out.store, inputs.snapshot, Snapshot)
    suite = read_artifact(out.store, inputs.expectations, ExpectationSuite)
    tables: dict[str, Table] = {}
    quarantine: dict[str, Table] = {}
    reports: list[SourceReport] = []
    reasons: dict[str, list[tuple[str, int]]] = {}
    for name, source in snapshot.sources.items():
        scratch = out.scratch / name
        scratch.mkdir()
        is_main = name == problem.main_source_name
        view = View(
            known_by=run.window_end,
            since=run.window_start if is_main else None,
            timezone=problem.timezone,
        )
        with duck.connect(scratch) as connection:
            validated = validate(
                connection,
                name,
                [out.store.fetch(part, scratch) for part in source.parts],
                source,
                view,
                ranges=ranges_of(problem, name),
                expectations=of_source(suite.model_dump(), name, problem.main_source_name),
                budget=problem.checks.quarantine.budget,
                scratch=scratch,
            )
            clean = duck.stream(connection, validated.clean)
            tables[name] = write_batches(out, f"tables-{name}", clean, clean.schema)
            if validated.report.quarantined:
                bad = duck.stream(connection, validated.quarantine)
                quarantine[name] = write_batches(out, f"quarantine-{name}", bad, bad.schema)
        reports.append(validated.report)
        reasons[name] = validated.reasons
    return Outputs(
        tables=tables,
        quarantine=quarantine,
        results=out.document("results", Results(sources=tuple(reports))),
        page=out.page("page", page(run, reports, reasons)),
        rows=sum(report.rows for report in reports),
        quarantined=sum(report.quarantined for report in reports),
    )


task = Task("validation", run)
