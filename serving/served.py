"""A model in service: the bundle's reader, its decoders, its answers and its rows of the log.

One object, replaced as a whole: a request takes the reference once and finishes with it, so a
swap in the middle changes nothing for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np

from bundle import values
from bundle.documents import Label
from bundle.model import Model
from serving.rows import Row, Rows, Value
from serving.shipping import ColumnType, Header

Score = float | list[float]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - compared with UTC that does not say so


class Served:
    """What is needed to answer with one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.digest = model.digest
        self.rows = Rows(model.contract)
        self.header = msgspec.json.encode(Header(columns=log_columns(model)))
        self.classes = [str(text(label)) for label in model.contract.classes]

    def scores(self, rows: Sequence[Row]) -> list[Score]:
        """Return the score of each row; a row alone and in a batch give the same bits."""
        if len(rows) == 1:
            return [self.model.one(rows[0])]
        if not rows:
            return []
        encode = self.model.encoder.one
        found: list[Score] = self.model.scores(np.array([encode(row) for row in rows])).tolist()
        return found

    def spoken(self, score: Score) -> dict[str, object]:
        """Return what the caller is told of one score: a number or one for each class, and label."""
        if isinstance(score, list):
            named = dict(zip(self.classes, score, strict=True))
            return {"scores": named, "label": self.model.decide(score)}
        if self.model.contract.task == "regression":
            return {"value": score}
        return {"score": score, "label": self.model.decide(score)}

    def label(self, score: Score) -> Label | None:
        """Return the label that goes into the log; None for a regression."""
        return None if self.model.contract.task == "regression" else self.model.decide(score)


@dataclass(frozen=True, slots=True)
class Answered:
    """What one answered request leaves in the prediction log."""

    served: Served
    request_id: str
    served_at: int
    """Microseconds since 1970."""
    answered: Sequence[Row]
    scores: Sequence[Score]

    @property
    def header(self) -> bytes:
        """The columns of the rows: those of the model that answered."""
        return self.served.header

    @property
    def rows(self) -> int:
        """How many rows were answered."""
        return len(self.answered)

    def lines(self) -> Iterator[bytes]:
        """Yield each row as JSON; a missing value is left out."""
        contract = self.served.model.contract
        numbers = [column.name for column in contract.columns if column.type == "number"]
        others = [column.name for column in contract.columns if column.type != "number"]
        several = contract.task == "multiclass"
        for place, (row, score) in enumerate(zip(self.answered, self.scores, strict=True)):
            line: dict[str, object] = {
                "request_id": self.request_id,
                "row": place,
                "served_at": self.served_at,
                "event_time": moment(row.get(contract.event_time or "")),
                "digest": self.served.digest,
                "scores" if several else "score": score,
                "label": text(self.served.label(score)),
            }
            line |= {f"key.{name}": text(row.get(name)) for name in contract.key}
            line |= {f"in.{name}": row.get(name) for name in numbers}
            line |= {f"in.{name}": text(row.get(name)) for name in others}
            yield msgspec.json.encode(line)


def log_columns(model: Model) -> tuple[tuple[str, ColumnType], ...]:
    """Return name and type of each column of the model's prediction log."""
    contract = model.contract
    several = contract.task == "multiclass"
    kept: list[tuple[str, ColumnType]] = [
        ("request_id", "string"),
        ("row", "integer"),
        ("served_at", "moment"),
        ("event_time", "moment"),
        ("digest", "string"),
        ("scores", "numbers") if several else ("score", "number"),
        ("label", "string"),
    ]
    kept += [(f"key.{name}", "string") for name in contract.key]
    kept += [
        (f"in.{column.name}", "number" if column.type == "number" else "string")
        for column in contract.columns
    ]
    return tuple(kept)


def text(value: Value) -> str | None:
    """Return a value's one spelling, as the encoder reads it; None for a missing or unusable one.

    >>> text(7.0), text("7"), text(True), text(None)
    ('7', '7', 'true', None)
    """
    try:
        return values.key(value)
    except values.Unusable:
        return None


def moment(value: Value) -> int | None:
    """Return an ISO 8601 time as microseconds since 1970, UTC where it names no zone; else None.

    >>> moment("1970-01-01T01:00:00.5+01:00"), moment("yesterday")
    (500000, None)
    """
    try:
        found = values.instant(value)
    except values.Unusable:
        return None
    if found is None:
        return None
    since = found.replace(tzinfo=None) - _EPOCH  # the encoder's instants are UTC, said or not
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
