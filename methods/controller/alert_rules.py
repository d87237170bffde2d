"""What needs a person, from decisions, ledger and the age of things: pure, one finding a condition.

Silence is a finding as well: no verdict where one is due, no rows, labels that stopped, data that
came long ago, retrainings that do not help. A finding is raised where its condition holds, and held
where it does not hold now but an open alert about it should stay open.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from pydantic import AwareDatetime

from contract.alerts import OwnerFinding
from contract.decision import Decision
from contract.formatting import format_digest
from contract.store.ledger import LedgerEntry
from contract.strict import Strict
from methods.controller.alert_limits import AlertLimits
from methods.controller.day_findings import (
    alert_id,
    column_of,
    command_for,
    findings_of,
    impact_of,
    is_lasting,
)
from methods.controller.days import ONE_DAY, Calendar

STOPPED, SUSPECT = "labels_stopped", "labels_suspect"
_SERVED = frozenset({"deployed", "rollback"})
_NOT_SERVED = frozenset({"refused", "returned"})


class AlertEvidence(Strict):
    """Everything that an alert may rest on."""

    problem: str
    now: AwareDatetime
    decisions: tuple[Decision, ...]
    """The newest ones, oldest first."""
    entries: tuple[LedgerEntry, ...]
    """The ledger's newest ones, oldest first."""
    serves: bool
    """Whether a model serves."""
    due: date | None
    """The newest day that should have a verdict by now; None: none is due yet."""
    source: str
    """The main source's name."""
    data_since: AwareDatetime | None
    """When it had new rows last; None: it is not known yet."""
    data_age: timedelta
    """From which on they are too old."""


class FoundAlerts(Strict):
    """The findings that hold, and the ids of those that are not over."""

    raised: tuple[OwnerFinding, ...]
    held: frozenset[str]


def due_day(
    calendar: Calendar, now: datetime, at: time, after: timedelta, since: datetime | None
) -> date | None:
    """Return the newest day that should have a verdict at `now`; None where none should.

    Monitoring runs at `at` of the next day, and has `after` for it; `since` is when the model began
    to serve, None: no model does.
    """
    if since is None:
        return None
    into_the_day = timedelta(hours=at.hour, minutes=at.minute)
    day = calendar.day_of(now - into_the_day - after) - ONE_DAY
    return day if day >= calendar.day_of(since) else None


def find_alerts(evidence: AlertEvidence, limits: AlertLimits) -> FoundAlerts:
    """Return what needs a person now."""
    raised = (
        *_by_decisions(evidence, limits),
        *_by_labels(evidence),
        *_by_challengers(evidence, limits),
        *_without_model(evidence),
        *_late_verdict(evidence),
        *_old_data(evidence),
    )
    unique = {finding.id: finding for finding in reversed(raised)}
    return FoundAlerts(raised=tuple(reversed(unique.values())), held=_held(evidence, limits))


def _by_decisions(evidence: AlertEvidence, limits: AlertLimits) -> Iterator[OwnerFinding]:
    if not evidence.decisions:
        return
    newest = evidence.decisions[-1]
    for name, sentence in findings_of(newest).items():
        days = _days_in_a_row(evidence.decisions, alert_id(name))
        if is_lasting(name) and days < limits.lasting_days:
            continue
        lasts = f"For {days} days: " if is_lasting(name) else ""
        is_first = sentence == newest.sentence
        yield OwnerFinding(
            id=alert_id(name),
            sentence=f"{lasts}{sentence}{f' {newest.next}' if is_first else ''}",
            impact=impact_of(newest) if is_first else None,
            column=column_of(newest, name),
            command=command_for(newest, name),
            day=newest.day,
        )


def _by_labels(evidence: AlertEvidence) -> Iterator[OwnerFinding]:
    """Labels that stopped, or that no loss can be measured by, where the day itself names neither."""
    newest = evidence.decisions[-1] if evidence.decisions else None
    labels = newest.labels if newest else None
    if newest is None or labels is None or _names_labels(newest):
        return
    stopped = f"{labels.arrived} labels came, {labels.expected:.0f} were expected."
    suspect = (
        f"{labels.contradicting} labels contradict others, {labels.unknown_class} are unknown to "
        "the model."
    )
    for name, holds, otherwise in (
        (STOPPED, labels.stopped, stopped),
        (SUSPECT, labels.suspect, suspect),
    ):
        if holds:
            yield OwnerFinding(
                id=name,
                sentence=f"{' '.join(labels.sentences) or otherwise} Until that is mended no loss "
                "is measured.",
                command=f"perennial why {evidence.problem}",
                day=newest.day,
            )


def _names_labels(decision: Decision) -> bool:
    return any(name.startswith("labels") for name in findings_of(decision))


def _by_challengers(evidence: AlertEvidence, limits: AlertLimits) -> Iterator[OwnerFinding]:
    """Challengers in a row that did not get in; a nightly run without a gain is none of them."""
    asked = {decision.key for decision in evidence.decisions if decision.key is not None}
    useless: list[LedgerEntry] = []
    for entry in reversed(evidence.entries):
        if entry.kind in _SERVED:
            break
        was_asked = any(entry.run.endswith(key) for key in asked)
        if entry.kind == "returned" or (entry.kind == "refused" and was_asked):
            useless.append(entry)
    if evidence.serves and len(useless) >= limits.useless_challengers:
        newest = useless[0]
        yield OwnerFinding(
            id="challengers",
            sentence=(
                f"{len(useless)} challengers in a row were refused or taken back, the newest on "
                f"{newest.at:%Y-%m-%d}: {newest.reason}"
            ),
            command=f"perennial history {evidence.problem}",
        )


def _without_model(evidence: AlertEvidence) -> Iterator[OwnerFinding]:
    kinds = _SERVED | _NOT_SERVED
    newest = next((each for each in reversed(evidence.entries) if each.kind in kinds), None)
    if evidence.serves or newest is None or newest.kind in _SERVED:
        return
    what = "was taken back" if newest.kind == "returned" else "was refused"
    yield OwnerFinding(
        id="no_model",
        sentence=(
            f"No model serves {evidence.problem}: {format_digest(newest.digest, 'the newest')} "
            f"{what}: {newest.reason}"
        ),
        command=f"perennial run {evidence.problem}",
    )


def _late_verdict(evidence: AlertEvidence) -> Iterator[OwnerFinding]:
    newest = evidence.decisions[-1].day if evidence.decisions else None
    if not evidence.serves or evidence.due is None or (newest and newest >= evidence.due):
        return
    last = f"the newest verdict is of {newest}" if newest else "no day has one yet"
    yield OwnerFinding(
        id="no_verdict",
        sentence=(
            f"The verdict of {evidence.due} is missing, {last}: monitoring did not run, or failed."
        ),
        command=f"perennial monitor {evidence.problem}",
    )


def _old_data(evidence: AlertEvidence) -> Iterator[OwnerFinding]:
    since = evidence.data_since
    if since is None or evidence.now - since < evidence.data_age:
        return
    yield OwnerFinding(
        id="old_data",
        sentence=(
            f"The source {evidence.source!r} has had no new rows since {since:%Y-%m-%d}; "
            f"{evidence.data_age.days} days are allowed (alerts.data_age). Is its feed at work?"
        ),
        command=f"perennial status {evidence.problem}",
    )


def _held(evidence: AlertEvidence, limits: AlertLimits) -> frozenset[str]:
    """Return the ids of alerts that are not over yet, although their condition may not hold now.

    A day without enough rows says nothing about the data: whatever was open before it stays open.
    """
    newest = evidence.decisions[-1] if evidence.decisions else None
    if newest is None:
        return frozenset()
    held = {
        alert_id(name)
        for decision in evidence.decisions[-limits.calm_days :]
        for name in findings_of(decision)
        if is_lasting(name)
    }
    if newest.verdict == "insufficient_data":
        sighted = (each for each in reversed(evidence.decisions) if each.verdict != newest.verdict)
        held |= {alert_id(name) for name in findings_of(next(sighted, newest))}
    if newest.labels is None:
        held |= {STOPPED, SUSPECT}
    return frozenset(held)


def _days_in_a_row(decisions: Sequence[Decision], name: str) -> int:
    """Return on how many of the newest days in a row the finding was there."""
    count = 0
    for decision in reversed(decisions):
        if name not in {alert_id(each) for each in findings_of(decision)}:
            break
        count += 1
    return count
