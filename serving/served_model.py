"""A model in service: the bundle's reader, its decoders, its answers and its rows of the log.

One object, replaced as a whole: a request takes the reference once and finishes with it, so a
swap in the middle changes nothing for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from bundle.documents import Label
from bundle.meaning import answer_meaning
from bundle.model import Model
from bundle.prediction_rows import PredictionRows, Score, canonical_text
from contract.service_protocol import DecisionInfo, ScoreFields
from serving.rows import Row, RowDecoder
from serving.shipping import encode_header


class ServedModel:
    """What is needed to answer with one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.digest = model.digest
        self.decoder = RowDecoder(model.contract)
        self.log = PredictionRows(model.contract, model.digest)
        self.header = encode_header(self.log.columns)
        self._classes = [str(canonical_text(label)) for label in model.contract.classes]

    def scores(self, rows: Sequence[Row]) -> list[Score]:
        """Return the score of each row; a row alone and in a batch give the same bits."""
        if len(rows) == 1:
            return [self.model.one(rows[0])]
        if not rows:
            return []
        encode = self.model.encoder.one
        scores: list[Score] = self.model.scores(np.array([encode(row) for row in rows])).tolist()
        return scores

    def prediction(self, score: Score) -> ScoreFields:
        """Return a score as the caller gets it: a number, or one for each class, and the label."""
        if isinstance(score, list):
            by_class = dict(zip(self._classes, score, strict=True))
            return {"scores": by_class, "label": self.model.decide(score)}
        if self.model.contract.task == "regression":
            return {"value": score}
        return {"score": score, "label": self.model.decide(score)}

    @property
    def decision(self) -> DecisionInfo:
        """What an answer means, and by which threshold it is decided."""
        contract, threshold = self.model.contract, self.model.document.threshold
        return DecisionInfo(
            target=contract.output.name,
            positive=contract.positive,
            threshold=threshold,
            meaning=answer_meaning(contract, threshold),
        )

    def label(self, score: Score) -> Label | None:
        """Return the label that goes into the log; None for a regression."""
        return None if self.model.contract.task == "regression" else self.model.decide(score)


@dataclass(frozen=True, slots=True)
class PredictionEntry:
    """What one answered request leaves in the prediction log."""

    served: ServedModel
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
        """Yield each row as JSON."""
        labels = map(self.served.label, self.scores)
        rows = self.served.log.of_request(
            self.request_id, self.served_at, self.answered, self.scores, labels
        )
        return map(msgspec.json.encode, rows)
