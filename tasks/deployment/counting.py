"""What the pods of a track answered, added up over pods that restart, come and go.

Asked of each pod itself: the Service that clients use would answer for either track.
"""

from collections import Counter
from collections.abc import Mapping

from pydantic import ValidationError

from contract.serving_state import Tally
from tasks.deployment.kubernetes import Deployment, told_by

NOTHING = Tally(statuses={}, edges=(), seconds=(), scores={})


class Count:
    """Answers of one model in one track; `from_now` leaves out those before the first look."""

    def __init__(self, *, from_now: bool) -> None:
        self._from_now = from_now
        self._pods: dict[str, tuple[Tally, Tally]] = {}
        """What each pod had answered at first, and has answered now."""
        self._gone = NOTHING
        """What pods had answered before they began to count anew."""

    def look(self, told: Mapping[str, Tally]) -> None:
        """Take what each pod tells now; a pod that is silent keeps what it told."""
        for name, now in told.items():
            first, last = self._pods.get(name, (now if self._from_now else NOTHING, now))
            if answers(now) < answers(last):  # its container began anew
                self._gone = add(self._gone, last, first)
                first = NOTHING
            self._pods[name] = first, now
        self._from_now = self._from_now and not told

    def total(self) -> Tally:
        """Return the sum."""
        total = self._gone
        for first, last in self._pods.values():
            total = add(total, last, first)
        return total


def ask_pods(deployment: Deployment, digest: str, api_key: str) -> dict[str, Tally]:
    """Return what each pod of the track has answered with a model."""
    told: dict[str, Tally] = {}
    for pod in deployment.pods(digest):
        found = told_by(pod, api_key)
        if found is None or found.get("digest") != digest:
            continue
        try:
            tally = Tally.model_validate(found.get("models", {}).get(digest, NOTHING))
        except ValidationError:
            continue  # an older service: it counts nothing, and the canary holds
        told[pod["metadata"]["name"]] = tally
    return told


def answers(tally: Tally) -> int:
    """Return how many answers were counted."""
    return sum(tally.statuses.values())


def add(total: Tally, more: Tally, less: Tally = NOTHING) -> Tally:
    """Return `total` + `more` - `less`, which is an earlier state of `more`."""
    buckets = [total.seconds, more.seconds, less.seconds]
    width = max(map(len, buckets))
    one, two, three = ([*found, *[0] * (width - len(found))] for found in buckets)
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
