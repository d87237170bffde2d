"""From a raw row to a score: encoder, members, weighted mean, calibration, threshold.

Training, evaluation, batch scoring and the service all score with this one class.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bundle import limits
from bundle.arrays import Floats
from bundle.calibration import calibrate_all
from bundle.documents import Contract, Label, ModelDocument
from bundle.encoder import Encoder, Row
from bundle.members import Trees, read_member
from bundle.plans import EncoderDocument
from bundle.refusal import require
from bundle.tensors import Tensors

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 32_768  # rows at a time: bounds memory, and stays in the cache


class Scorer:
    """A model that can score but has no digest yet; `bundle.Model` is one that was read by its digest.

    One row and a batch agree bit for bit. Not for concurrent use while `encoder.coerced` matters.
    """

    def __init__(
        self,
        *,
        document: ModelDocument,
        encoder: EncoderDocument,
        members: Mapping[str, Tensors],
        contract: Contract,
    ) -> None:
        """Check that encoder, members and contract fit one another.

        Raises:
            Refused: when they do not.
        """
        self.contract = contract
        self.document = document
        self.encoder = Encoder(encoder)
        width = self.encoder.width
        require(width <= limits.COLUMNS, f"the encoder makes {width} columns, too many")
        known = {column.name for column in contract.columns}
        unknown = sorted({plan.column for plan in encoder.columns} - known)
        require(not unknown, f"the encoder reads {unknown}, which the contract does not have")
        self._members = []
        self._views: dict[tuple[int, ...], int] = {}
        nodes = 0
        for entry in document.members:
            require(entry.file in members, f"member {entry.file!r} is not in the bundle")
            member = read_member(members[entry.file])
            fits = member.inputs == len(entry.inputs) and max(entry.inputs) < width
            require(fits, f"{entry.file} does not fit the {width} encoded columns")
            right = member.outputs == contract.scores
            require(right, f"{entry.file} gives {member.outputs} scores, not {contract.scores}")
            nodes += member.nodes if isinstance(member, Trees) else 0
            # Members that see the same columns share one gather of them.
            view = self._views.setdefault(entry.inputs, len(self._views))
            self._members.append((member, view, entry.weight, entry.scale, entry.shift))
        require(nodes <= limits.NODES, f"{nodes} nodes are too many")
        all_columns = tuple(range(width))
        self._gathers = [None if view == all_columns else list(view) for view in self._views]
        calibrations = len(document.calibration)
        fits = calibrations in {0, contract.scores} and not (
            calibrations and contract.task == "regression"
        )
        require(fits, f"{calibrations} calibrations do not fit a {contract.task} model")
        decided = (document.threshold is None) == (contract.task != "binary")
        require(decided, "a binary model has a threshold, and no other model has one")

    def one(self, row: Row) -> float | list[float]:
        """Return the score of one raw row.

        P(positive) of a binary model, a probability for each class in the contract's order of a
        multiclass one, the value of a regression.
        """
        scores = self._combine(self.stages(self.encoder.one(row)))
        return scores if self.contract.task == "multiclass" else scores[0]

    def stages(self, encoded: Sequence[float]) -> list[Sequence[float]]:
        """Return each member's scores of an encoded row, before weights and calibration."""
        views = [
            array("d", encoded if gather is None else [encoded[index] for index in gather])
            for gather in self._gathers
        ]
        return [member.one(views[view]) for member, view, *_ in self._members]

    def batch(self, table: "pa.Table") -> Floats:
        """Return the scores of a table of raw rows, (n,) or (n, classes); see `one`."""
        return self.scores(self.encoder.batch(table))

    def scores(self, encoded: Floats) -> Floats:
        """Return the scores of encoded rows (n, encoder.width), (n,) or (n, classes)."""
        parts = [
            self._scores(encoded[start : start + _CHUNK])
            for start in range(0, len(encoded), _CHUNK)
        ]
        scores = np.concatenate(parts) if parts else np.empty((0, self.contract.scores))
        return scores if self.contract.task == "multiclass" else scores[:, 0]

    def decide(self, score: float | Sequence[float] | Floats) -> Label:
        """Return the label of one score as `one` gives it; the value itself for a regression."""
        contract = self.contract
        if contract.task == "multiclass":
            return contract.classes[int(np.argmax(score))]  # the first of equal ones
        value = float(score)  # type: ignore[arg-type] # one number, for the other two tasks
        threshold = self.document.threshold
        if threshold is None or contract.positive is None:
            return value
        if value >= threshold:
            return contract.positive
        first, second = contract.classes
        return second if first == contract.positive else first

    def _combine(self, stages: Sequence[Sequence[float]]) -> list[float]:
        total = [0.0] * self.contract.scores
        for (_, _, weight, scale, shift), scores in zip(self._members, stages, strict=True):
            for index, score in enumerate(scores):
                total[index] += weight * (score * scale + shift)
        return self._calibrate(total)

    def _calibrate(self, scores: list[float]) -> list[float]:
        calibrations = self.document.calibration
        return calibrate_all(scores, calibrations) if calibrations else scores

    def _scores(self, encoded: Floats) -> Floats:
        views = [
            np.ascontiguousarray(encoded if gather is None else encoded[:, gather], np.float64)
            for gather in self._gathers
        ]
        total = np.zeros((len(encoded), self.contract.scores))
        for member, view, weight, scale, shift in self._members:
            total += weight * (member.batch(views[view]) * scale + shift)
        if not self.document.calibration:
            return total
        return np.array([self._calibrate(row) for row in total.tolist()])
