"""Check that the suggested split works on the data, so that the folder runs without editing."""

import numpy as np
import pyarrow as pa

from contract.problem import Problem
from contract.store.earlier_runs import Learnt
from methods.columns.schema import ROW_KEY
from methods.columns.targets import class_codes, numbers_of
from methods.split.assignment import assign
from methods.split.buckets import salt_of
from methods.split.rule import split_rule_from
from tasks.suggestion.inspection import DataSummary


def can_be_split(summary: DataSummary, problem: Problem) -> None:
    """Assign the rows as the split will.

    Raises:
        Refused: a part would be empty, or a class cannot stand in every part.
    """
    table, name = summary.table, problem.target.column
    if not problem.main_source.key:
        # A stand-in for the hash of a row's content, which validation makes.
        table = table.append_column(ROW_KEY, pa.array(np.arange(table.num_rows)))
    values = table[name]
    target = (
        class_codes(values, summary.classes, name) if summary.classes else numbers_of(values, name)
    )
    assign(
        table, split_rule_from(problem, salt_of(problem.name), Learnt()), target, summary.classes
    )
