"""The counts in the text format of Prometheus, written by its own client library.

Labels come from fixed sets (routes of the service, columns of the contract, digests of the last
models), so a scan for unknown paths makes no new series. The library is imported when the metrics
are first asked for: at import it reads the folder of BentoML's metrics from the environment,
and an idle service does without it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from serving.counters import Counters
from serving.tallies import BUCKETS

if TYPE_CHECKING:
    from prometheus_client import Metric

PREFIX = "perennial_"
_SECONDS = "Seconds from the first byte of a request to its answer"

Sample = tuple[Sequence[str], float]


def render(counters: Counters, further: Mapping[str, tuple[str, float]], digest: str | None) -> str:
    """Return all counts as text.

    Args:
        counters: of this process.
        further: (help, value) by name: a counter where the name ends with `_total`, else a gauge.
        digest: of the model that serves.
    """
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - see above
    from prometheus_client.registry import Collector  # noqa: PLC0415 - see above

    class _Families(Collector):
        def collect(self) -> "Iterator[Metric]":
            return _families(counters, further, digest)

    registry = CollectorRegistry()
    registry.register(_Families())
    return generate_latest(registry).decode()


def _families(
    counters: Counters, further: Mapping[str, tuple[str, float]], digest: str | None
) -> "Iterator[Metric]":
    yield _family(
        "requests_total",
        "Answered requests.",
        ("route", "status"),
        [((route, str(status)), n) for (route, status), n in sorted(counters.requests.items())],
    )
    yield _family("predicted_rows_total", "Rows that got a prediction.", (), [((), counters.rows)])
    yield _family("feedback_total", "Labels that were fed back.", (), [((), counters.feedback)])
    yield _family("in_flight", "Requests being answered.", (), [((), counters.in_flight)])
    yield _family("model_swaps_total", "Models taken into service.", (), [((), counters.swaps)])
    yield _family("model_failures_total", "Models refused.", (), [((), counters.failures)])
    yield _family(
        "coercions_total",
        "Values that the encoder took for missing.",
        ("column",),
        [((name,), n) for name, n in sorted(counters.coerced.items())],
    )
    serving = [] if digest is None else [((digest,), 1)]
    yield _family("model_info", "The model that serves.", ("digest",), serving)
    yield _family(
        "model_answers_total",
        "Answers to clients' requests, by model.",
        ("digest", "status"),
        [
            ((name, str(status)), count)
            for name, statuses, *_ in counters.tallies
            for status, count in sorted(statuses.items())
        ],
    )
    for name, (text, value) in further.items():
        yield _family(name, text, (), [((), value)])
    yield _histogram("request_seconds", f"{_SECONDS}.", "route", counters.durations())
    by_model = ((name, buckets, seconds) for name, _, buckets, seconds in counters.tallies)
    yield _histogram(
        "model_seconds", f"{_SECONDS}, clients' requests only, by model.", "digest", by_model
    )


def _family(name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]) -> "Metric":
    """Return a counter where the name ends with `_total`, else a gauge."""
    from prometheus_client import core  # noqa: PLC0415 - see the module's docstring

    is_counter = name.endswith("_total")
    family_of = core.CounterMetricFamily if is_counter else core.GaugeMetricFamily
    family = family_of(f"{PREFIX}{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _histogram(
    name: str, text: str, label: str, series: Iterable[tuple[str, Sequence[int], float]]
) -> "Metric":
    from prometheus_client import core  # noqa: PLC0415 - see the module's docstring

    family = core.HistogramMetricFamily(f"{PREFIX}{name}", text, labels=[label])
    limits = [*map(str, BUCKETS), "+Inf"]
    for value, buckets, seconds in series:
        cumulative = list(zip(limits, accumulate(buckets), strict=True))
        family.add_metric([value], cumulative, sum_value=round(seconds, 6))
    return family
