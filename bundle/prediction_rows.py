"""Rows of the prediction log: what is kept of one answered row, by the model's contract.

Here and not in the service, since every writer of predictions must spell values alike: a key that
is spelt in two ways does not join its label. The columns are those of `contract.prediction_log`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC

from bundle import values
from bundle.documents import Contract, Label
from contract import prediction_log as log
from contract.times import microseconds

Value = str | bool | int | float | None
Score = float | list[float]


class PredictionRows:
    """Makes the rows of one model's prediction log."""

    def __init__(self, contract: Contract, digest: str) -> None:
        features = [(column.name, column.type == "number") for column in contract.columns]
        multiclass = contract.task == "multiclass"
        self.columns = log.prediction_columns(
            multiclass=multiclass, keys=contract.key, features=features
        )
        """The columns of each row, in their order."""
        self._digest = digest
        self._event_time = contract.event_time or ""
        self._score = log.SCORES if multiclass else log.SCORE
        self._keys = [(log.key_column(name), name) for name in contract.key]
        self._numbers = [(log.feature_column(name), name) for name, numeric in features if numeric]
        self._texts = [(log.feature_column(n), n) for n, numeric in features if not numeric]

    def of_request(
        self,
        request_id: str,
        served_at: int,
        rows: Iterable[Mapping[str, Value]],
        scores: Iterable[Score],
        labels: Iterable[Label | None],
    ) -> Iterator[dict[str, object]]:
        """Yield a row of the log for each answered row of one request; moments in microseconds.

        Args:
            request_id: of the request.
            served_at: microseconds since 1970.
            rows: the n rows as they were sent.
            scores: n scores; with several classes a list, one number for each class.
            labels: n decisions; None for a regression.
        """
        for index, (row, score, label) in enumerate(zip(rows, scores, labels, strict=True)):
            yield {
                log.REQUEST_ID: request_id,
                log.ROW: index,
                log.SERVED_AT: served_at,
                log.EVENT_TIME: event_microseconds(row.get(self._event_time)),
                log.DIGEST: self._digest,
                self._score: score,
                log.LABEL: canonical_text(label),
                **{column: canonical_text(row.get(name)) for column, name in self._keys},
                **{column: row.get(name) for column, name in self._numbers},
                **{column: canonical_text(row.get(name)) for column, name in self._texts},
            }


def canonical_text(value: Value) -> str | None:
    """Return a value's one spelling, as the encoder reads it; None for a missing or unusable one.

    >>> canonical_text(7.0), canonical_text("7"), canonical_text(True), canonical_text(None)
    ('7', '7', 'true', None)
    """
    try:
        return values.key(value)
    except values.Unusable:
        return None


def event_microseconds(value: Value) -> int | None:
    """Return an ISO 8601 time as microseconds since 1970, UTC where it names no zone; else None.

    >>> event_microseconds("1970-01-01T01:00:00.5+01:00"), event_microseconds("yesterday")
    (500000, None)
    """
    try:
        instant = values.naive_instant(value)
    except values.Unusable:
        return None
    return None if instant is None else microseconds(instant.replace(tzinfo=UTC))
