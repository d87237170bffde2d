"""What each column is: the roles that encoder, gate, service and monitoring share.

Roles are inferred from development rows without looking at how the target depends on them;
`methods/columns/roles.py` holds the rules, and the problem file's `columns` override them.
"""

import numpy as np
import pyarrow as pa

from contract.errors import InvalidRequest, Refused
from contract.learning_task import LearningTask
from contract.messages import no_such_column
from contract.problem import ColumnOverride, Problem
from contract.strict import Strict
from methods.columns.roles import Feature, column_of, pair_of, range_of
from methods.columns.targets import class_codes, classes_of, numbers_of, task_of

# The key of a source that declares none: a hash of the row's content, made by validation.
ROW_KEY = "row_key"


class Schema(Strict):
    """The columns of the prepared table, by what they are for."""

    key: tuple[str, ...]
    event_time: str | None
    group: str | None
    target: str
    task: LearningTask
    classes: tuple[str, ...]
    """Binary: (negative, positive); multiclass: sorted; regression: ()."""
    columns: tuple[Feature, ...]
    """The features only, in the order of the encoder; the event time is one of them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(column.name for column in self.columns)


def key_columns(problem: Problem) -> tuple[str, ...]:
    """Return the columns that name a row of the main source."""
    return problem.main_source.key or (ROW_KEY,)


def is_feature(name: str, problem: Problem) -> bool:
    """Say whether a model may see a column.

    A single key, the group, the target and the times at which a row became known hold nothing that
    generalises; the columns of a key with several parts may.
    """
    source = problem.main_source
    key = key_columns(problem)
    hidden = {problem.target.column, problem.split.group, source.known_at, source.cursor, ROW_KEY}
    hidden -= {source.event_time}
    hidden |= set(key) if len(key) == 1 else set()
    hidden |= set(problem.features.drop)
    override = problem.columns.get(name)
    return name not in hidden and not (override is not None and override.role == "drop")


def infer_schema(table: pa.Table, problem: Problem) -> Schema:
    """Describe the prepared table's columns from its development rows.

    Raises:
        InvalidRequest: the target or an overridden column is not there.
        Refused: there is no feature, or the target cannot be learned.
    """
    target = _column(table, problem.target.column, "target.column")
    _check_overrides(table, problem)
    task = task_of(target, problem)
    columns = tuple(
        _overridden(column_of(name, table[name]), table[name], problem.columns.get(name))
        for name in table.column_names
        if is_feature(name, problem)
    )
    if not any(column.role not in {"id", "constant"} for column in columns):
        sentence = (
            f"None of the {len(columns)} columns beside the target {problem.target.column!r} can "
            "be used: each one is constant, or identifies its row. Add columns, or set their role."
        )
        raise Refused(sentence)
    return Schema(
        key=key_columns(problem),
        event_time=problem.main_source.event_time,
        group=problem.split.group,
        target=problem.target.column,
        task=task,
        classes=classes_of(target, task, problem),
        columns=columns,
    )


def target_vector(table: pa.Table, schema: Schema) -> np.ndarray:
    """Return the target as float64 of shape (n,): 0/1, the class's index, or the value itself.

    NaN stands for an unlabelled row.

    Raises:
        InvalidRequest: the target is not in the table, or is not a number in a regression.
        Refused: a class that the schema does not know.
    """
    column = _column(table, schema.target)
    if schema.task == "regression":
        return numbers_of(column, schema.target)
    return class_codes(column, schema.classes, schema.target)


def features_table(table: pa.Table, schema: Schema) -> pa.Table:
    """Return the features alone, in the schema's order; key, target and the rest stay behind.

    Raises:
        InvalidRequest: a feature is not in the table.
    """
    return pa.table({name: _column(table, name) for name in schema.names})


def _column(table: pa.Table, name: str, named_by: str = "the schema") -> pa.ChunkedArray:
    if name not in table.column_names:
        sentence = no_such_column("The table", name, table.column_names, named_by=named_by)
        raise InvalidRequest(sentence)
    return table[name]


def _check_overrides(table: pa.Table, problem: Problem) -> None:
    for name, override in problem.columns.items():
        if override.role != "drop" and name not in problem.features.drop:
            _column(table, name, f"columns.{name}")


def _overridden(
    column: Feature, values: pa.ChunkedArray, override: ColumnOverride | None
) -> Feature:
    if override is None:
        return column
    role = column.role if override.role in {None, "drop"} else override.role
    pair = column.values
    if role == "binary" and not pair:
        pair = pair_of(values.drop_null())
        if len(pair) != 2:  # noqa: PLR2004 - two values are what binary means
            sentence = (
                f"columns.{column.name}.role is binary, the column holds {len(pair)} values; "
                "two are expected. Choose another role."
            )
            raise InvalidRequest(sentence)
    seen = range_of(values) if role == "number" and column.range is None else column.range
    return column.model_copy(
        update={
            "role": role,
            "unit": override.unit,
            "range": override.range or (seen if role == "number" else None),
            "values": pair if role == "binary" else (),
            "required": column.required if override.required is None else override.required,
        }
    )
