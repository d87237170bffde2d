"""What the service counts about its requests; `serving.exposition` shows it to Prometheus.

The fast path answers before BentoML's own metrics see a request, so it counts for itself: plain
integers on the event loop.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from serving.tallies import BUCKETS, Tallies


class Counters:
    """Counts of one process since it started."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        """Answered requests by route and HTTP status."""
        self.rows = 0
        self.feedback = 0
        self.in_flight = 0
        self.swaps = 0
        self.failures = 0
        self.coerced: Counter[str] = Counter()
        """Values of each column that the encoder took for missing."""
        self.tallies = Tallies()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests[route, status] += 1
        buckets = self._buckets.get(route)
        if buckets is None:
            buckets = self._buckets[route] = [0] * (len(BUCKETS) + 1)
        buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds[route] += seconds

    def durations(self) -> Iterator[tuple[str, Sequence[int], float]]:
        """Yield each route, its answers in each of `BUCKETS` and beyond, and their seconds."""
        for route, buckets in sorted(self._buckets.items()):
            yield route, buckets, self._seconds[route]
