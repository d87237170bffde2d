"""What each model answered to clients since this process began; a canary is judged by it.

A deployment's own requests are left out. Counted on the event loop in 1 us a request; answered by
/info, since the cells of scores are no fixed set of series for /metrics.
"""

import math
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence

from bundle.prediction_rows import Score
from contract.serving_state import Tally
from serving.served_model import PredictionEntry, ServedModel

# Seconds; a prediction takes 0.0001, a batch of 10,000 rows about 0.1.
BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
KEPT_MODELS = 3  # of a process that changes its model; a pod has one
COUNTED_ROWS = 100  # of a batch: 0.1 ms of the event loop, and no caller outweighs all others
SMALLEST = 1e-9  # a score nearer to its end falls into the last cell
A_DECADE = 100  # cells of a value: 2.3 % wide
A_LOGIT = 10  # cells of a probability: a tenth of a logit wide


class _Counts:
    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.cells: Counter[int] = Counter()


class Tallies:
    """Counts by model."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, _Counts] = OrderedDict()

    def add(self, served: ServedModel | None, status: int, seconds: float, entry: object) -> None:
        """Count one answer; of the model that gave the scores in `entry`, else of `served`."""
        prediction = entry if isinstance(entry, PredictionEntry) else None
        served = prediction.served if prediction else served
        if served is None:
            return
        digest = served.digest
        counts = self._counts.get(digest)
        if counts is None:
            counts = self._counts[digest] = _Counts()
            if len(self._counts) > KEPT_MODELS:
                self._counts.popitem(last=False)
        counts.statuses[status] += 1
        counts.buckets[bisect_left(BUCKETS, seconds)] += 1
        counts.seconds += seconds
        if prediction is not None:
            task = prediction.served.model.contract.task
            counts.cells.update(cells(task, prediction.scores[:COUNTED_ROWS]))

    def by_digest(self) -> dict[str, Tally]:
        """Return the counts by digest."""
        return {
            digest: Tally(
                statuses=dict(counts.statuses),
                edges=BUCKETS,
                seconds=tuple(counts.buckets),
                scores=dict(counts.cells),
            )
            for digest, counts in self._counts.items()
        }

    def __iter__(self) -> Iterator[tuple[str, Counter[int], Sequence[int], float]]:
        """Yield digest, answers by status, answers by bucket, and their seconds."""
        for digest, counts in self._counts.items():
            yield digest, counts.statuses, counts.buckets, counts.seconds


def cells(task: str, scores: Sequence[Score]) -> Iterator[int]:
    """Yield the cell of each score; two models of one problem share the cells.

    Of a probability a tenth of its logit, of several classes the index of the likeliest, of a value
    its sign and a hundredth of a decade.

    >>> list(cells("binary", [0.5, 0.9, 0.0])), list(cells("multiclass", [[0.1, 0.7, 0.2]]))
    ([0, 22, -207], [1])
    >>> list(cells("regression", [0.0, 1.0, 1.001, -1.0, 10.0]))
    [0, 901, 901, -901, 1001]
    """
    for score in scores:
        if isinstance(score, list):
            yield max(range(len(score)), key=score.__getitem__)
        elif task == "binary":
            share = min(max(score, SMALLEST), 1 - SMALLEST)
            yield round(A_LOGIT * math.log(share / (1 - share)))
        else:
            size = max(abs(score), SMALLEST)
            cell = round(A_DECADE * math.log10(size / SMALLEST))
            yield 0 if cell == 0 else int(math.copysign(cell + 1, score))
