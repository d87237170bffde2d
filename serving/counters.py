"""What the service counts, in the text format of Prometheus.

The fast lane answers before BentoML's own metrics see a request, so it counts for itself: plain
integers on the event loop, rendered when asked. Labels come from fixed sets (routes of the
service, columns of the contract), so a scan for unknown paths makes no new series.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from serving.tallies import BUCKETS, Tallies


class Counters:
    """Counts of one process since it started."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.rows = 0
        self.feedback = 0
        self.in_flight = 0
        self.swaps = 0
        self.failures = 0
        self.coerced: Counter[str] = Counter()
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

    def render(self, more: Mapping[str, tuple[str, float]], digest: str | None) -> str:
        """Return all counts as text; `more` are further (help, value) pairs by name.

        One of them whose name ends with `_total` is a counter, the others are gauges.
        """
        families: list[tuple[str, str, str, Iterable[tuple[str, float]]]] = [
            (
                "requests_total",
                "counter",
                "Answered requests.",
                [
                    (f'{{route="{route}",status="{status}"}}', count)
                    for (route, status), count in sorted(self.requests.items())
                ],
            ),
            ("predicted_rows_total", "counter", "Rows that got a prediction.", [("", self.rows)]),
            ("feedback_total", "counter", "Labels that were fed back.", [("", self.feedback)]),
            ("in_flight", "gauge", "Requests being answered.", [("", self.in_flight)]),
            ("model_swaps_total", "counter", "Models taken into service.", [("", self.swaps)]),
            ("model_failures_total", "counter", "Models refused.", [("", self.failures)]),
            (
                "coercions_total",
                "counter",
                "Values that the encoder took for missing.",
                [(f'{{column="{escape(name)}"}}', n) for name, n in sorted(self.coerced.items())],
            ),
            (
                "model_info",
                "gauge",
                "The model that serves.",
                [] if digest is None else [(f'{{digest="{digest}"}}', 1)],
            ),
            (
                "model_answers_total",
                "counter",
                "Answers to the world's requests, by model.",
                [
                    (f'{{digest="{name}",status="{status}"}}', count)
                    for name, statuses, *_ in self.tallies
                    for status, count in sorted(statuses.items())
                ],
            ),
            *(
                (name, "counter" if name.endswith("_total") else "gauge", text, [("", value)])
                for name, (text, value) in more.items()
            ),
        ]
        lines = [line for family in families for line in _family(*family)]
        by_route = [
            (f'route="{route}"', buckets, self._seconds[route])
            for route, buckets in sorted(self._buckets.items())
        ]
        by_model = [
            (f'digest="{name}"', buckets, seconds) for name, _, buckets, seconds in self.tallies
        ]
        text = "Seconds from the first byte of a request to its answer"
        lines += _histogram("request_seconds", f"{text}.", by_route)
        lines += _histogram("model_seconds", f"{text}, of the world's, by model.", by_model)
        return "\n".join([*lines, ""])


def escape(label: str) -> str:
    """Return a label's value as the text format wants it."""
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP perennial_{name} {text}"
    yield f"# TYPE perennial_{name} {kind}"
    for labels, value in samples:
        yield f"perennial_{name}{labels} {value}"


def _histogram(
    name: str, text: str, series: Iterable[tuple[str, Sequence[int], float]]
) -> Iterator[str]:
    yield f"# HELP perennial_{name} {text}"
    yield f"# TYPE perennial_{name} histogram"
    for label, buckets, seconds in series:
        total = 0
        for limit, count in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
            total += count
            yield f'perennial_{name}_bucket{{{label},le="{limit}"}} {total}'
        yield f"perennial_{name}_count{{{label}}} {total}"
        yield f"perennial_{name}_sum{{{label}}} {seconds:.6f}"
