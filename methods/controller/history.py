"""What was decided and done before a day: decision records, the ledger's entries, what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contract.decision import Decision
from contract.performance import Effect
from contract.store.ledger import LedgerEntry
from methods.controller.adoptions import adopted_since, is_released
from methods.controller.days import ONE_DAY
from methods.controller.policy import Policy

SERVED = {"deployed", "rollback"}
REFUSED = {"refused", "returned"}
_MOST_DOUBLINGS = 10  # more would overflow a duration before the longest cool-down caps it


@dataclass(frozen=True)
class ServingModel:
    """A model and since when it serves."""

    digest: str
    since: datetime


@dataclass(frozen=True)
class Promotion:
    """A model that took another one's place."""

    digest: str
    previous: str
    at: datetime


class History:
    """Decisions by day, and the ledger's entries, oldest first."""

    def __init__(self, decisions: Sequence[Decision], entries: Sequence[LedgerEntry]) -> None:
        self._decisions = {decision.day: decision for decision in decisions}
        self._entries = sorted(entries, key=lambda entry: entry.at)
        self._late: set[date] = set()

    def add(self, decision: Decision) -> None:
        """Add the decision of one more day."""
        self._decisions[decision.day] = decision

    def decision(self, day: date) -> Decision | None:
        """Return what was decided for `day`."""
        return self._decisions.get(day)

    @property
    def days(self) -> list[date]:
        """The decided days, ascending."""
        return sorted(self._decisions)

    def decided_by(self, end: datetime) -> list[Decision]:
        """Return the decisions of the days that ended by `end`, oldest first."""
        return [self._decisions[day] for day in self.days if self._decisions[day].at <= end]

    def serving_at(self, end: datetime) -> ServingModel | None:
        """Return which model served just before `end`; None where the ledger names none."""
        for entry in reversed(self._entries):
            if entry.kind in SERVED and entry.digest is not None and entry.at < end:
                return ServingModel(entry.digest, entry.at)
        return None

    def serving_from(self, begin: datetime) -> ServingModel | None:
        """Return which model served at `begin`; one that was put in place then counts."""
        for entry in reversed(self._entries):
            if entry.kind in SERVED and entry.digest is not None and entry.at <= begin:
                return ServingModel(entry.digest, entry.at)
        return None

    def last_asked(self, day: date) -> date | None:
        """Return the newest day before `day` that asked for a retraining."""
        return next(
            (d for d in reversed(self.days) if d < day and self._decisions[d].retrain), None
        )

    def first_deployed(self, digest: str, otherwise: datetime) -> datetime:
        """Return when a model was first deployed: its data ended then."""
        return next(
            (e.at for e in self._entries if e.kind == "deployed" and e.digest == digest), otherwise
        )

    def cooldown_until(self, end: datetime, cooldown: timedelta, policy: Policy) -> datetime | None:
        """Return until when nothing is retrained, as of `end`; None before anything was retrained.

        Every challenger in a row that was refused lengthens `cooldown`, up to the policy's longest.
        """
        asked = [d.at for d in self._decisions.values() if d.retrain and d.at <= end]
        done = [e for e in self._entries if e.kind in SERVED | REFUSED and e.at <= end]
        moments = [*asked, *(entry.at for entry in done)]
        if not moments:
            return None
        refused = 0
        for entry in reversed(done):
            if entry.kind in SERVED:
                break
            refused += 1
        longest = max(policy.longest_cooldown, cooldown)
        factor = policy.cooldown_factor ** min(refused, _MOST_DOUBLINGS)
        length: timedelta = min(cooldown * factor, longest)
        return max(moments) + length

    def retrains(self, end: datetime, policy: Policy) -> int:
        """Return how many retrainings were asked for in the policy's period before `end`."""
        return sum(
            decision.retrain and end - policy.retrain_period < decision.at < end
            for decision in self._decisions.values()
        )

    def block_late(self, day: date) -> None:
        """Leave a day out whose rows came after its decision, and are broken."""
        self._late.add(day)

    def asking(self, end: datetime) -> list[Decision]:
        """Return the decisions that asked for a retraining by `end`, oldest first."""
        return [decision for decision in self.decided_by(end) if decision.retrain]

    def entries_by(self, end: datetime) -> list[LedgerEntry]:
        """Return the ledger's entries up to `end`, oldest first."""
        return [entry for entry in self._entries if entry.at <= end]

    def effect_of(self, digest: str, end: datetime) -> Effect | None:
        """Return the newest measure of what a promotion did, as of `end`."""
        for decision in reversed(self.decided_by(end)):
            if decision.effect is not None and decision.effect.digest == digest:
                return decision.effect
        return None

    def promotion(self, end: datetime) -> Promotion | None:
        """Return the newest change of the serving model before `end`; None where one alone served."""
        served = [e for e in self._entries if e.kind in SERVED and e.digest and e.at < end]
        newest = served[-1] if served else None
        before = next((e for e in reversed(served) if newest and e.digest != newest.digest), None)
        if newest is None or newest.digest is None or before is None or before.digest is None:
            return None
        return Promotion(newest.digest, before.digest, newest.at)

    def first_served(self) -> datetime | None:
        """Return when the problem's first model began to serve; None where the ledger has none."""
        return next((entry.at for entry in self._entries if entry.kind in SERVED), None)

    def is_blocked(self, day: date) -> bool:
        """Return True where the day's data is left out: it was blocked, and nobody accepted it."""
        return day in self._late or self.is_fault(day)

    def is_fault(self, day: date) -> bool:
        """Return True where the day's own decision blocked it, and nobody accepted it."""
        decision = self._decisions.get(day)
        return (
            decision is not None
            and decision.verdict == "blocked_data_quality"
            and not is_released(decision, self._decisions, self._entries)
        )

    def adopted(self, digest: str) -> dict[str, date]:
        """Return from which day on each subject is accepted as it is, while a model serves."""
        return adopted_since(self._entries, digest)

    def is_blocked_before(self, day: date, policy: Policy) -> bool:
        """Return True where a day was blocked that must be in limits for `day` to retrain."""
        return any(self.is_blocked(day - n * ONE_DAY) for n in range(1, policy.release_days))

    def alarms(self, day: date, digest: str, window: timedelta, policy: Policy) -> tuple[bool, ...]:
        """Return whether the verdict windows before the one of `day` sounded the alarm.

        Those of another model than `digest` are no evidence about it.
        """
        step = max(window, ONE_DAY)
        numbers = range(1, policy.alarm_windows + 1)
        before = (self._decisions.get(day - n * step) for n in numbers)
        return tuple(each.alarm for each in before if each is not None and each.digest == digest)

    def refused_decision(self, end: datetime) -> Decision | None:
        """Return the decision whose challenger was refused, if nothing was deployed since."""
        for entry in reversed([e for e in self._entries if e.at <= end]):
            if entry.kind in SERVED:
                return None
            if entry.kind in REFUSED:
                for decision in self._decisions.values():
                    if decision.key is not None and entry.run.endswith(decision.key):
                        return decision
        return None
