"""Profile the development rows and list what is odd about them.

Takes    problem, run, tables
Makes    page       warnings first, the target, a report of every column
         findings   the warnings, for programs
Facts    warnings   how many
Refuses  nothing of its own; a target that cannot be learned, rows too few for three parts
Source   Tukey, "Exploratory Data Analysis", 1977; Kaufman et al., TKDD 6(4), 2012 (leaks)
"""

import pyarrow as pa

from contract.artifacts import Document, Page, Table
from contract.errors import InvalidRequest, Refused
from contract.messages import no_such_column
from contract.problem import Problem
from contract.run import Run
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict
from methods.columns.schema import is_feature
from methods.columns.targets import class_codes, classes_of, labelled, numbers_of, task_of
from methods.models.leakage import Finding
from methods.split.event_times import microseconds
from methods.split.parts import development
from methods.split.rule import split_rule
from methods.tables.parquet import read_table
from methods.tables.sampling import evenly_spaced
from tasks.exploration.oddities import oddities
from tasks.exploration.page import page

SAMPLE = 20_000  # rows in the report of every column: 7 CPU-s at 100,000 rows of 30 columns
LEAK_SAMPLE = 50_000  # rows for suspected leaks: the deviation of an AUC is then below 0.003


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    tables: dict[str, Table]


class Params(Strict):
    """It has none: everything stands in the problem."""


class FindingsDocument(Strict):
    """The document `findings`."""

    findings: tuple[Finding, ...]


class Outputs(Strict):
    """What the task makes."""

    page: Page
    findings: Document
    warnings: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Explore the main source's development rows."""
    problem, run = read_problem_and_run(out.store, inputs)
    table = read_table(out.store, inputs.tables[problem.main_source_name])
    rows = _development(table, problem, run, out)
    column = rows[problem.target.column]
    task = task_of(column, problem)
    classes = classes_of(column, task, problem)
    target = (
        class_codes(column, classes, problem.target.column)
        if classes
        else numbers_of(column, problem.target.column)
    )
    features = rows.select([name for name in rows.column_names if is_feature(name, problem)])
    sample = evenly_spaced(rows.num_rows, LEAK_SAMPLE)
    findings = oddities(features.take(pa.array(sample)), target[sample], task)
    event_time = problem.main_source.event_time
    html = page(
        run,
        problem,
        rows.take(pa.array(evenly_spaced(rows.num_rows, SAMPLE))),
        rows=rows.num_rows,
        target=target,
        classes=classes,
        times=microseconds(rows[event_time]) if event_time else None,
        findings=findings,
    )
    return Outputs(
        page=out.page("page", html),
        findings=out.document("findings", FindingsDocument(findings=tuple(findings))),
        warnings=len(findings),
    )


def _development(table: pa.Table, problem: Problem, run: Run, out: Out) -> pa.Table:
    """Return the labelled rows that may be inspected before the gate."""
    name = problem.target.column
    if name not in table.column_names:
        owner = f"The source {problem.main_source_name!r}"
        raise InvalidRequest(
            no_such_column(owner, name, table.column_names, named_by="target.column")
        )
    rows = table.filter(labelled(table[name]))
    if rows.num_rows == 0:
        sentence = f"None of the {table.num_rows} rows has a label in {name!r}; wait for labels."
        raise Refused(sentence)
    return rows.filter(development(rows, split_rule(problem, run, out.store)))


task = Task("exploration", run)
