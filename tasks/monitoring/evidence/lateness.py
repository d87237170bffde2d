"""How late labels come: the maturity curve, which says how far back to read and when a day is whole.

A loan's label comes after 90 days: that is its normal case, so windows end where labels are known
and not where the newest row is. The curve is the share of the finally known labels by age. Only
events count that are old enough to have all of theirs, or a young day's early labels would make
every label look early (right truncation; Lagakos et al., "Nonparametric analysis of truncated
survival data", Biometrika 75, 1988).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow.compute as pc

from contract.problem import Problem
from contract.times import microseconds
from methods.controller.days import ONE_DAY, Micros
from methods.controller.policy import Policy
from tasks.monitoring.evidence.instants import NEVER
from tasks.monitoring.evidence.label_versions import ALWAYS, LabelVersions

_PARTS = 8  # of a day, at whose middles the curve is read
FEWEST = 100  # labels of events that are old enough; with fewer, younger events count too
LATEST = 0.95  # share of labels by which the latest ones are meant; the rest may never come


@dataclass(frozen=True)
class Lateness:
    """Ages at which labels were first known, ascending, in microseconds; (n,), at least one."""

    ages: Micros

    def share_at(self, age: timedelta) -> float:
        """Return the share of the finally known labels that is known at an age, in [0, 1]."""
        known = np.searchsorted(self.ages, age // timedelta(microseconds=1), side="right")
        return float(known) / len(self.ages)

    def age_of(self, share: float) -> timedelta:
        """Return the age at which a share of the labels is known."""
        index = min(len(self.ages) - 1, int(np.ceil(share * len(self.ages))) - 1)
        return timedelta(microseconds=int(self.ages[max(0, index)]))

    def share_of_day(self, age: timedelta) -> float:
        """Return the share that is known of a day which ended `age` ago, in [0, 1].

        Of a day that has not ended, a negative age tells how much is known of its rows so far.
        """
        within = [(2 * n + 1) * ONE_DAY / (2 * _PARTS) for n in range(_PARTS)]
        return sum(self.share_at(age + part) for part in within) / _PARTS

    def days_of(self, share: float) -> int:
        """Return how many days after its end a day has such a share of its labels."""
        last = -(-self.age_of(1.0) // ONE_DAY)
        low, high = 0, last
        while low < high:
            middle = (low + high) // 2
            if self.share_of_day(middle * ONE_DAY) >= share:
                high = middle
            else:
                low = middle + 1
        return low

    def curve(self) -> dict[int, float]:
        """Return the share by age in days, at 0, 1, 2, 4, 8 … and where the latest ones are known."""
        last = -(-self.age_of(LATEST) // ONE_DAY)
        ages = {0, last, *(2**n for n in range(12) if 2**n < last)}
        return {days: round(self.share_at(days * ONE_DAY), 4) for days in sorted(ages)}


def declared(problem: Problem) -> Lateness:
    """Return what the problem file says of labels whose age cannot be measured."""
    return Lateness(np.array([problem.labels.horizon // timedelta(microseconds=1)], np.int64))


def first_labels(versions: LabelVersions) -> tuple[Micros, Micros]:
    """Return event and first moment of each key's label, (n,) each; without those of unknown time."""
    has_label = pc.is_valid(versions.labels).to_numpy()
    timed = (versions.event != NEVER) & (versions.known != ALWAYS) & (versions.known != NEVER)
    chosen = np.flatnonzero(has_label & timed)
    keys = versions.keys[chosen]
    first = chosen[np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])] if keys.size else chosen
    return versions.event[first], versions.known[first]


def lateness_of(
    events: Micros, known: Micros, at: datetime | None, otherwise: Lateness
) -> Lateness:
    """Return the curve of the labels that were known at `at`; `otherwise` where there are none.

    Args:
        events: (n,) when each row's event was.
        known: (n,) when its label was first known.
        at: a later label is not known yet; None: all are.
        otherwise: what is declared.
    """
    now = int(known.max(initial=0)) if at is None else microseconds(at)
    there = known <= now
    events, ages = events[there], np.maximum(0, known[there] - events[there])
    if not ages.size:
        return otherwise
    old = events <= now - int(np.quantile(ages, LATEST))
    chosen = ages[old] if old.sum() >= FEWEST else ages
    return Lateness(np.sort(chosen))


def days_back(lateness: Lateness, policy: Policy) -> int:
    """Return how many days before a day's own labels are read: the newest that can be known."""
    late = -(-lateness.age_of(LATEST) // ONE_DAY)
    return policy.label_days + min(late, policy.longest_label_days)
