"""Say of every prepared row whether it teaches, chooses or judges, before anything is fitted.

Takes    problem, run, prepared
Makes    assignment         row, part (train, validation, vault, or gap: takes no part), block, fold
         page               the parts and their reach
Facts    train, validation, vault   rows of each part
         target_mean        of each part: the mean of the target, or of the positive class
         vault_from         by time: where the vault begins, microseconds since 1970
Refuses  rows too few for three parts, a class that cannot stand in all of them
Source   Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012
"""

import numpy as np

from contract.artifacts import Document, Page, Table
from contract.problem import Problem
from contract.run import Run
from contract.runtime.task import Task
from contract.store.documents import read_artifact
from contract.store.writer import Out
from contract.strict import Strict
from methods.columns.targets import class_codes, classes_of, numbers_of, task_of
from methods.split.assignment import assign
from methods.split.parts import rule_of
from methods.tables.parquet import read_table, write_table
from tasks.split.page import split_page


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    prepared: Table


class Params(Strict):
    """It has none: everything stands in the problem."""


class Outputs(Strict):
    """What the task makes."""

    assignment: Table
    page: Page
    train: int
    validation: int
    vault: int
    target_mean: dict[str, float | None]
    vault_from: int | None


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Assign the rows and say how the target lies in each part."""
    problem = read_artifact(out.store, inputs.problem, Problem)
    this = read_artifact(out.store, inputs.run, Run)
    table = read_table(out.store, inputs.prepared)
    rule = rule_of(problem, this, out.store)
    column = table[problem.target.column]
    task = task_of(column, problem)
    classes = classes_of(column, task, problem)
    target = (
        class_codes(column, classes, problem.target.column)
        if classes
        else numbers_of(column, problem.target.column)
    )
    made = assign(table, rule, target, classes)
    rows = made.rows()
    means = {
        name: None if task == "multiclass" else float(np.mean(target[made.part == name]))
        for name in rows
    }
    return Outputs(
        assignment=write_table(out, "assignment", made.table()),
        page=out.page("page", split_page(this, table, rule, made, means)),
        **rows,
        target_mean=means,
        vault_from=made.vault_from,
    )


task = Task("split", run)
