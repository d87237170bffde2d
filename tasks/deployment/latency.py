"""How long the service takes for an answer, and how much of it is the machine's doing.

A request to the model and an empty one (liveness: no model, no row) are sent in turns, so both meet
the same neighbours. A machine that is busy delays both; a model that is slow delays its own alone.
"""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from bundle import Model
from bundle.request import complaints
from contract.formatting import format_duration, plain_text
from contract.rollout.target import RolloutFailed
from contract.service_protocol import LIVE, PREDICT
from contract.strict import Strict
from tasks.deployment.client import Client, Reply
from tasks.deployment.verification import check_served_model

WARMING = 20  # requests before the clock counts
REQUESTS = 200  # of a round
ROUNDS = 3
MOST_ROUNDS = 6  # arbitrary: on a busy machine the extremes of a round are chance
PERCENTILE = 0.99


class LatencyRound(Strict):
    """Seconds of one round: of each golden row's answers, and of the empty requests between them."""

    rows: Mapping[int, tuple[float, ...]]
    """By the row's index."""
    empty: tuple[float, ...]

    @property
    def p99(self) -> float:
        """Seconds that 99 of 100 answers take at most."""
        return percentile([each for row in self.rows.values() for each in row], PERCENTILE)

    @property
    def empty_p99(self) -> float:
        """Seconds that 99 of 100 empty requests take at most."""
        return percentile(self.empty, PERCENTILE)

    @property
    def excess(self) -> float:
        """Seconds by which answers take longer than empty requests, at their 99th percentiles."""
        return max(0.0, self.p99 - self.empty_p99)


class Latency(Strict):
    """What the rounds say together; seconds."""

    p99: float
    """Seconds that 99 of 100 answers take at most; of the quickest round, as a neighbour only adds."""
    empty_p99: float
    """The same of empty requests, in the round in which both differed least."""
    excess: float
    """By which answers took longer than empty requests in that round, at their 99th percentiles."""
    quickest: float
    """Within which 99 of 100 golden rows were answered at least once."""

    def is_within(self, limit: float) -> bool:
        """Return True where the service keeps `limit`, or would on a machine with nothing else to do.

        Both must hold for the latter: the delay is one that an empty request has as well, and each
        row was answered in time at least once.
        """
        return self.p99 <= limit or (self.excess <= limit and self.quickest <= limit)


def measure_latency(client: Client, model: Model, limit: float) -> Latency:
    """Return how long answers and empty requests take; `limit` in seconds.

    Three rounds of 200 pairs, and up to three more while the limit is not kept.

    Raises:
        RolloutFailed: a request is not answered.
        AnotherModel: one was answered by a model that should serve no longer.
    """
    rows = [golden.row for golden in model.golden.rows]
    rows = [row for row in rows if not complaints(model.contract, row)]
    for index in range(WARMING):
        _ask(client, "POST", PREDICT, rows[index % len(rows)])
    rounds: list[LatencyRound] = []
    while True:
        rounds.append(_round(client, model, rows))
        latency = summarize_rounds(rounds)
        if len(rounds) >= ROUNDS and (latency.is_within(limit) or len(rounds) >= MOST_ROUNDS):
            return latency


def summarize_rounds(rounds: Sequence[LatencyRound]) -> Latency:
    """Return what the rounds say together; there is at least one."""
    quickest: dict[int, float] = {}
    for each in rounds:
        for row, seconds in each.rows.items():
            quickest[row] = min(quickest.get(row, math.inf), *seconds)
    closest = min(rounds, key=lambda each: each.excess)
    return Latency(
        p99=min(each.p99 for each in rounds),
        empty_p99=closest.empty_p99,
        excess=closest.excess,
        quickest=percentile(list(quickest.values()), PERCENTILE),
    )


def check_latency(latency: Latency | None, limit: float) -> None:
    """Go on only if the service is fast enough; `limit` in seconds.

    Raises:
        RolloutFailed: it is not, or it was not measured.
    """
    if latency is None:
        raise RolloutFailed(
            f"The time of an answer is not known; at most {_text(limit)} is allowed by "
            "gates.latency_p99."
        )
    if not latency.is_within(limit):
        raise RolloutFailed(
            f"99 of 100 requests take up to {_text(latency.p99)} ({_text(latency.quickest)} at "
            f"their quickest), and empty requests between them {_text(latency.excess)} less; at most {_text(limit)} is allowed by gates.latency_p99. "
            "Take a smaller model (models.candidates), or allow more."
        )


def busy_note(latency: Latency | None, limit: float) -> str:
    """Say that the machine was too busy to keep the limit; empty where it was kept."""
    if latency is None or latency.p99 <= limit:
        return ""
    return (
        f"the machine was busy: 99 of 100 requests took up to {_text(latency.p99)}, and empty ones "
        f"between them up to {_text(latency.empty_p99)}"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _round(client: Client, model: Model, rows: Sequence[object]) -> LatencyRound:
    seconds: dict[int, tuple[float, ...]] = {}
    empty: list[float] = []
    replies: list[Reply] = []
    for number in range(REQUESTS):
        index = number % len(rows)
        reply = _ask(client, "POST", PREDICT, rows[index])
        empty.append(_ask(client, "GET", LIVE).seconds)
        seconds[index] = (*seconds.get(index, ()), reply.seconds)
        replies.append(reply)
    bad = [reply.status for reply in replies if reply.status != HTTPStatus.OK]
    if bad:
        raise RolloutFailed(
            f"{len(bad)} of {REQUESTS} requests were answered {bad[0]}, expected 200."
        )
    for reply in replies:
        check_served_model(reply.body.get("model"), model)
    return LatencyRound(rows=seconds, empty=tuple(empty))


def _ask(client: Client, method: str, path: str, value: object = None) -> Reply:
    try:
        return client.request(method, path, value)
    except OSError as error:
        raise RolloutFailed(f"The service stopped answering: {error}.") from error


def _text(seconds: float) -> str:
    return plain_text(format_duration(seconds))
