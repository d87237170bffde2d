"""Answers a day's rows as the service does, and logs them by its own encoder and shipper.

A row goes through the service's compiled decoder, which refuses what the contract forbids (422),
the model's reader, the log's entry and the segment's Parquet: only HTTP and the spool's disk are
left out. Names follow from the row's position, so that a day that is answered twice is logged once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Floats
from bundle.model import Model
from contract.canonical_json import sha256
from contract.store.client import Store
from serving.answers import FeedbackEntry, FeedbackLabel
from serving.rows import InvalidRows, Row
from serving.served_model import PredictionEntry, ServedModel
from serving.shipping import key, parquet
from serving.spool import SpoolEntry

BATCH_ROWS = 500
"""Rows of one request, >= 1: one time of answering for all of them. Arbitrary."""


@dataclass(frozen=True)
class Answered:
    """What came of a day's rows."""

    rows: NDArray[np.int64]
    """(k,), positions of the rows that were answered, ascending."""
    scores: Floats
    """(k,) or (k, classes)."""
    decisions: tuple[object, ...]
    """The label that was decided for each of them; None for a regression."""
    request_ids: tuple[tuple[str, int], ...]
    """Request id and row of each."""
    refused: int
    """Rows that the contract forbids: answered 422, and not logged."""


class RowService:
    """One problem's service with one model."""

    def __init__(self, store: Store, problem: str, model: Model) -> None:
        self._store = store
        self._problem = problem
        self._served = ServedModel(model)

    def answer(
        self, rows: Sequence[Mapping[str, object]], moments: Sequence[int], name: str
    ) -> Answered:
        """Answer rows and log them.

        Args:
            rows: n JSON values, as callers send them.
            moments: when each is asked, microseconds since 1970, ascending; (n,).
            name: of the log's segment, of letters, digits and hyphens; the same name is one segment.
        """
        positions: list[int] = []
        scores: list[object] = []
        decisions: list[object] = []
        names: list[tuple[str, int]] = []
        lines: list[bytes] = []
        for start in range(0, len(rows), BATCH_ROWS):
            kept, taken = self._decoded(rows[start : start + BATCH_ROWS])
            if not taken:
                continue
            entry = PredictionEntry(
                self._served,
                _request_id(moments[start], name, start),
                moments[start],
                taken,
                self._served.scores(taken),
            )
            lines += entry.lines()
            positions += [start + each for each in kept]
            scores += entry.scores
            decisions += [self._served.label(score) for score in entry.scores]
            names += [(entry.request_id, row) for row in range(len(taken))]
        if lines:
            self._ship("predictions", self._served.header, lines, moments[positions[0]], name)
        return Answered(
            rows=np.array(positions, dtype=np.int64),
            scores=np.array(scores, dtype=np.float64),
            decisions=tuple(decisions),
            request_ids=tuple(names),
            refused=len(rows) - len(positions),
        )

    def take_feedback(
        self, labels: Sequence[tuple[tuple[str, int], object]], received_at: int, name: str
    ) -> None:
        """Log labels that clients send; `received_at` in microseconds since 1970."""
        told = [
            FeedbackLabel(request_id=request, row=row, label=label)  # type: ignore[arg-type] # a JSON scalar
            for (request, row), label in labels
        ]
        entry: SpoolEntry = FeedbackEntry(received_at, told)
        if told:
            self._ship("feedback", entry.header, list(entry.lines()), received_at, name)

    def _decoded(self, rows: Sequence[Mapping[str, object]]) -> tuple[list[int], list[Row]]:
        """Return the positions and the values of the rows that the contract allows."""
        decoder = self._served.decoder
        try:
            return list(range(len(rows))), decoder.batch(msgspec.json.encode({"rows": rows}))
        except InvalidRows:
            pass  # one by one: a request of one row is refused for itself alone
        kept, taken = [], []
        for position, row in enumerate(rows):
            try:
                taken.append(decoder.one(msgspec.json.encode(row)))
            except InvalidRows:
                continue
            kept.append(position)
        return kept, taken

    def _ship(
        self, kind: str, header: bytes, lines: Sequence[bytes], moment: int, name: str
    ) -> None:
        segment = b"".join(line + b"\n" for line in (header, *lines))
        body = parquet(segment)
        assert body is not None
        self._store.put(key(self._problem, kind, f"{name}-{moment * 1000}"), body)


def _request_id(moment: int, name: str, start: int) -> str:
    """Return a UUIDv7 of the moment whose other bits follow from the segment's name."""
    rest = sha256(f"{name}/{start}".encode())
    time_part = f"{moment // 1000 & 0xFFFFFFFFFFFF:012x}"
    return f"{time_part[:8]}-{time_part[8:]}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}"
