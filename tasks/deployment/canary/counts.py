"""What the pods of a track answered, added up over pods that restart, come and go.

Read from each pod itself: the Service that clients use would answer for either track.
"""

from collections import Counter
from collections.abc import Mapping

from pydantic import ValidationError

from contract.serving_state import Tally
from tasks.deployment.kubernetes.pods import TrackPods

NOTHING = Tally(statuses={}, edges=(), seconds=(), scores={})


class Count:
    """Answers of one model in one track; `from_now` leaves out those before the first look."""

    def __init__(self, *, from_now: bool) -> None:
        self._from_now = from_now
        self._pods: dict[str, tuple[Tally, Tally]] = {}
        """What each pod had answered at first, and has answered now."""
        self._gone = NOTHING
        """What pods had answered before they began to count anew."""

    def update(self, tallies: Mapping[str, Tally]) -> None:
        """Take the tally of each pod now; a pod that does not answer keeps its last one."""
        for name, now in tallies.items():
            first, last = self._pods.get(name, (now if self._from_now else NOTHING, now))
            if answers(now) < answers(last):  # its container began anew
                self._gone = add(self._gone, last, first)
                first = NOTHING
            self._pods[name] = first, now
        self._from_now = self._from_now and not tallies

    def total(self) -> Tally:
        """Return the sum."""
        total = self._gone
        for first, last in self._pods.values():
            total = add(total, last, first)
        return total


def read_tallies(pods: TrackPods, digest: str) -> dict[str, Tally]:
    """Return what each pod of a track has answered with a model."""
    tallies: dict[str, Tally] = {}
    for pod in pods.of(digest):
        info = pods.info(pod)
        if info is None or info.get("digest") != digest:
            continue
        try:
            tally = Tally.model_validate(info.get("models", {}).get(digest, NOTHING))
        except ValidationError:
            continue  # an older service: it counts nothing, and the canary holds
        tallies[pod["metadata"]["name"]] = tally
    return tallies


def answers(tally: Tally) -> int:
    """Return how many answers were counted."""
    return sum(tally.statuses.values())


def add(total: Tally, more: Tally, less: Tally = NOTHING) -> Tally:
    """Return `total` + `more` - `less`, which is an earlier state of `more`."""
    buckets = [total.seconds, more.seconds, less.seconds]
    width = max(map(len, buckets))
    one, two, three = ([*counts, *[0] * (width - len(counts))] for counts in buckets)
    return Tally(
        statuses=_add(total.statuses, more.statuses, less.statuses),
        edges=more.edges or total.edges,
        seconds=tuple(a + max(0, b - c) for a, b, c in zip(one, two, three, strict=True)),
        scores=_add(total.scores, more.scores, less.scores),
    )


def _add(
    total: Mapping[int, int], more: Mapping[int, int], less: Mapping[int, int]
) -> dict[int, int]:
    return dict(Counter(total) + (Counter(more) - Counter(less)))
