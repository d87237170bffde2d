"""What was decided and done before a day: decision records and the ledger, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contract.decision import Decision
from contract.store.client import Store
from contract.store.documents import parse_document
from contract.store.layout import DecisionKey, parse_keys
from contract.store.ledger import LedgerEntry
from tasks.monitoring.days import ONE_DAY

LONGEST_COOLDOWN = timedelta(days=28)
MONTH = timedelta(days=30)
_PUT_IN_PLACE = {"deployed", "rollback"}
_REFUSED = {"refused", "returned"}


@dataclass(frozen=True)
class Serving:
    """A model and since when it serves."""

    digest: str
    since: datetime


class Past:
    """Decisions by day, and the ledger's entries, oldest first."""

    def __init__(self, decisions: Sequence[Decision], entries: Sequence[LedgerEntry]) -> None:
        self._decisions = {decision.day: decision for decision in decisions}
        self._entries = sorted(entries, key=lambda entry: entry.at)

    def add(self, decision: Decision) -> None:
        """Remember the decision of one more day."""
        self._decisions[decision.day] = decision

    def decision(self, day: date) -> Decision | None:
        """Return what was decided for `day`."""
        return self._decisions.get(day)

    @property
    def days(self) -> list[date]:
        """The decided days, ascending."""
        return sorted(self._decisions)

    def until(self, end: datetime) -> list[Decision]:
        """Return the decisions of the days that ended by `end`, oldest first."""
        return [self._decisions[day] for day in self.days if self._decisions[day].at <= end]

    def champion(self, end: datetime) -> Serving | None:
        """Return who served just before `end`."""
        before = [
            entry
            for entry in self._entries
            if entry.kind in _PUT_IN_PLACE and entry.digest is not None and entry.at < end
        ]
        if not before or before[-1].digest is None:
            return None
        return Serving(before[-1].digest, before[-1].at)

    def made(self, digest: str, otherwise: datetime) -> datetime:
        """Return when a model was first put in place: what it knew ended then."""
        return next(
            (e.at for e in self._entries if e.kind == "deployed" and e.digest == digest), otherwise
        )

    def cooldown_until(self, end: datetime, cooldown: timedelta) -> datetime | None:
        """Return until when nothing is retrained, as of `end`; None before anything was.

        Every challenger in a row that was refused doubles the time, up to four weeks.
        """
        asked = [d.at for d in self._decisions.values() if d.retrain and d.at <= end]
        done = [e for e in self._entries if e.kind in _PUT_IN_PLACE | _REFUSED and e.at <= end]
        moments = [*asked, *(entry.at for entry in done)]
        if not moments:
            return None
        refused = 0
        for entry in reversed(done):
            if entry.kind in _PUT_IN_PLACE:
                break
            refused += 1
        longest = max(LONGEST_COOLDOWN, cooldown)
        length: timedelta = min(cooldown * 2.0 ** min(refused, 10), longest)
        return max(moments) + length

    def retrains(self, end: datetime) -> int:
        """Return how many retrainings were asked for in the 30 days before `end`."""
        return sum(
            decision.retrain and end - MONTH < decision.at < end
            for decision in self._decisions.values()
        )

    def blocked(self, day: date) -> bool:
        """Tell whether the day's data was blocked."""
        found = self._decisions.get(day)
        return found is not None and found.verdict == "blocked_data_quality"

    def alarms(self, day: date, window: timedelta) -> tuple[bool, ...]:
        """Return whether the two verdict windows before the one of `day` sounded the alarm."""
        step = max(window, ONE_DAY)
        before = (self._decisions.get(day - n * step) for n in (1, 2))
        return tuple(decision.alarm for decision in before if decision is not None)

    def refused_regime(self, end: datetime) -> Decision | None:
        """Return the decision whose challenger was refused, if nothing was deployed since."""
        for entry in reversed([e for e in self._entries if e.at <= end]):
            if entry.kind in _PUT_IN_PLACE:
                return None
            if entry.kind in _REFUSED:
                for decision in self._decisions.values():
                    if decision.key is not None and entry.run.endswith(decision.key):
                        return decision
        return None


def read_past(store: Store, problem: str, entries: Sequence[LedgerEntry]) -> Past:
    """Read every decision record of a problem.

    Raises:
        DamagedDocument: one cannot be read.
    """
    keys = parse_keys(store.keys(DecisionKey.prefix(problem)), DecisionKey)
    decisions = [parse_document(store.get(str(key)), Decision, str(key)) for key in keys]
    return Past(decisions, entries)
