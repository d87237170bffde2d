"""Join the sources in time and clean every row by itself; nothing is fitted.

Takes    problem, run, tables
Makes    prepared           labelled rows, one a key, sorted by event time and key
         schema             the role of every column, inferred from development rows
         page               each column's role, missing values and an example
Facts    rows, columns, labelled, unlabelled
         left_out           labelled rows of days whose data was blocked
Refuses  no labelled row, a target that cannot be learned, no column that a model can learn from
Source   Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012
"""

import warnings

from contract.artifacts import Document, Page, Table
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict
from methods.columns.schema import infer_schema
from methods.split.parts import development
from methods.split.rule import split_rule
from methods.tables import sql as duck
from methods.tables.parquet import write_table
from tasks.preprocessing.blocked import known_faults
from tasks.preprocessing.page import page
from tasks.preprocessing.prepare import prepare


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    tables: dict[str, Table]


class Params(Strict):
    """It has none: everything stands in the problem."""


with warnings.catch_warnings():
    # `schema` is the artifact's name; pydantic warns of its own deprecated method of that name.
    warnings.simplefilter("ignore", UserWarning)

    class Outputs(Strict):
        """What the task makes."""

        prepared: Table
        schema: Document  # type: ignore[assignment] # as above
        page: Page
        rows: int
        columns: int
        labelled: int
        unlabelled: int
        left_out: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Prepare the table and say what its columns are."""
    problem, run = read_problem_and_run(out.store, inputs)
    paths = {name: out.store.fetch(table, out.scratch) for name, table in inputs.tables.items()}
    faults = known_faults(out.store, problem.name, run.window_end)
    with duck.connect(out.scratch) as connection:
        prepared = prepare(connection, paths, problem, run.window_end, faults)
    rows = prepared.table.filter(development(prepared.table, split_rule(problem, run, out.store)))
    schema = infer_schema(rows, problem)
    return Outputs(
        prepared=write_table(out, "prepared", prepared.table),
        schema=out.document("schema", schema),
        page=out.page("page", page(run, prepared, schema)),
        rows=prepared.table.num_rows + prepared.unlabelled + prepared.blocked,
        columns=len(schema.columns),
        labelled=prepared.table.num_rows,
        unlabelled=prepared.unlabelled,
        left_out=prepared.blocked,
    )


task = Task("preprocessing", run)
