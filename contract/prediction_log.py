"""The prediction log and the feedback log: their columns, what each means, how one is named.

`PROBLEM/predictions/` has a row for each answered row, `PROBLEM/feedback/` one for each label that
a client sent. The model service writes both; monitoring and the canary read them. Whoever writes
predictions takes the columns from `prediction_columns`, and a reader asks for a column by its name
here. The names lie in stored files: a changed one makes yesterday's log unreadable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

LogColumnType = Literal["string", "integer", "number", "numbers", "moment"]

ARROW_TYPES: Mapping[LogColumnType, str] = {
    "string": "string",
    "integer": "int32",
    "number": "double",
    "numbers": "list<element: double>",
    "moment": "timestamp[us, tz=UTC]",
}
"""How a column is stored, as Arrow names the type of the Parquet file; a `moment` is an instant in UTC."""

REQUEST_ID: Final = "request_id"
ROW: Final = "row"
SERVED_AT: Final = "served_at"
EVENT_TIME: Final = "event_time"
DIGEST: Final = "digest"
SCORE: Final = "score"
SCORES: Final = "scores"
LABEL: Final = "label"
RECEIVED_AT: Final = "received_at"

_KEY: Final = "key."
_FEATURE: Final = "in."


@dataclass(frozen=True, slots=True)
class LogColumn:
    """One column of a log."""

    name: str
    type: LogColumnType
    meaning: str


ROW_REFERENCE: Final = (REQUEST_ID, ROW)
"""What names one answered row in both logs."""

_REFERENCE: Final = (
    LogColumn(REQUEST_ID, "string", "the UUIDv7 of the request, which its answer returned"),
    LogColumn(ROW, "integer", "the row's index in its request, from 0"),
)

FEEDBACK_COLUMNS: Final = (
    *_REFERENCE,
    LogColumn(RECEIVED_AT, "moment", "when the label was received, by the service's clock"),
    LogColumn(LABEL, "string", "the true class or value, as `bundle.prediction_rows` spells it"),
)
"""The columns of the feedback log, in their order."""


def prediction_columns(
    *, multiclass: bool, keys: Sequence[str], features: Iterable[tuple[str, bool]]
) -> tuple[LogColumn, ...]:
    """Return the columns of a model's prediction log, in their order.

    Args:
        multiclass: whether the model has one score for each class instead of one for all.
        keys: the columns of the problem's key.
        features: the model's input columns, each with whether it is numeric.
    """
    score = LogColumn(SCORE, "number", "P(positive class), or the predicted value of a regression")
    scores = LogColumn(SCORES, "numbers", "P of each class, in the order of the model's classes")
    return (
        *_REFERENCE,
        LogColumn(SERVED_AT, "moment", "when the row was answered, by the service's clock"),
        LogColumn(EVENT_TIME, "moment", "the row's own time; null: not sent, or no such column"),
        LogColumn(DIGEST, "string", "the sha256 of the model that answered"),
        scores if multiclass else score,
        LogColumn(LABEL, "string", "the model's decision; null for a regression"),
        *(LogColumn(key_column(name), "string", "a part of the row's key") for name in keys),
        *(
            LogColumn(
                feature_column(name),
                "number" if is_number else "string",
                "an input as it was sent; null: missing or unusable",
            )
            for name, is_number in features
        ),
    )


def key_column(name: str) -> str:
    """Return the log's column for the key column `name`.

    >>> key_column("flight")
    'key.flight'
    """
    return f"{_KEY}{name}"


def feature_column(name: str) -> str:
    """Return the log's column for the input column `name`.

    >>> feature_column("wind")
    'in.wind'
    """
    return f"{_FEATURE}{name}"


def key_columns(columns: Iterable[str]) -> list[str]:
    """Return those of the log's columns that hold the key, by their names in the log.

    >>> key_columns(["row", "key.flight", "in.wind"])
    ['key.flight']
    """
    return [name for name in columns if name.startswith(_KEY)]


def feature_columns(columns: Iterable[str]) -> dict[str, str]:
    """Return the input column of each of the log's columns that holds one.

    >>> feature_columns(["row", "key.flight", "in.wind", "in.in.wind"])
    {'in.wind': 'wind', 'in.in.wind': 'in.wind'}
    """
    return {name: name.removeprefix(_FEATURE) for name in columns if name.startswith(_FEATURE)}
