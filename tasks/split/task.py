"""Assign every prepared row to training, validation or the vault, before anything is fitted.

Takes    problem, run, prepared
Makes    assignment         row, part (train, validation, vault, or gap: unused), block, fold
         page               the parts and their first and last event times
Facts    train, validation, vault   rows of each part
         target_mean        of each part: the mean of the target, or of the positive class
         vault_from         by time: where the vault begins, microseconds since 1970
         vault_buckets      by hash: how many of the 10,000 buckets are the vault
Refuses  rows too few for three parts, a class that cannot stand in all of them
Source   Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012
"""

import numpy as np

from contract.artifacts import Document, Page, Table
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict
from methods.columns.targets import class_codes, classes_of, numbers_of, task_of
from methods.split.assignment import assign
from methods.split.rule import split_rule
from methods.tables.parquet import read_table, write_table
from tasks.split.page import page


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document
    prepared: Table


class Params(Strict):
    """It has none: the problem defines the split."""


class Outputs(Strict):
    """What the task makes."""

    assignment: Table
    page: Page
    train: int
    validation: int
    vault: int
    target_mean: dict[str, float | None]
    vault_from: int | None
    vault_buckets: int | None


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Assign the rows and summarise the target of each part."""
    problem, run = read_problem_and_run(out.store, inputs)
    table = read_table(out.store, inputs.prepared)
    rule = split_rule(problem, run, out.store)
    column = table[problem.target.column]
    task = task_of(column, problem)
    classes = classes_of(column, task, problem)
    target = (
        class_codes(column, classes, problem.target.column)
        if classes
        else numbers_of(column, problem.target.column)
    )
    assignment = assign(table, rule, target, classes)
    rows = assignment.rows()
    means = {
        name: None if task == "multiclass" else float(np.mean(target[assignment.part == name]))
        for name in rows
    }
    return Outputs(
        assignment=write_table(out, "assignment", assignment.table()),
        page=out.page("page", page(run, table, rule, assignment, means)),
        **rows,
        target_mean=means,
        vault_from=assignment.vault_from,
        vault_buckets=assignment.vault_buckets,
    )


task = Task("split", run)
