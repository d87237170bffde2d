"""What the owner is told: once when a finding begins, weekly while it lasts, once when it is over.

Pure: the state before, what was found and the moment give the state after, with the messages in its
outbox. The same three give the same state, so that a run that is repeated tells nothing twice.
"""

from datetime import datetime

from contract.alerts import AlertEvent, AlertMessage, AlertState, OpenAlert, OwnerFinding
from methods.controller.alert_limits import AlertLimits
from methods.controller.alert_rules import FoundAlerts


class AlertBook:
    """The alerts of one problem while they are brought up to date."""

    def __init__(self, problem: str, owner: str, now: datetime, limits: AlertLimits) -> None:
        self._problem = problem
        self._owner = owner
        self._now = now
        self._limits = limits

    def update(self, state: AlertState, found: FoundAlerts) -> AlertState:
        """Return the state after what was found, with a message for whatever began, lasts or is over.

        A moment that lies before an alert's own beginning changes nothing about it.
        """
        raised = {finding.id: finding for finding in found.raised}
        kept: list[OpenAlert] = []
        messages: list[AlertMessage] = []
        for alert in state.open:
            after, message = self._follow(alert, raised.pop(alert.finding.id, None), found)
            kept += [after] if after else []
            messages += [message] if message else []
        for finding in raised.values():
            alert = OpenAlert(finding=finding, since=self._now, told=self._now)
            kept.append(alert)
            messages.append(self._message("raised", alert))
        recent = (
            message for message in state.outbox if self._now - message.at < self._limits.outbox_age
        )
        return state.model_copy(update={"open": tuple(kept), "outbox": (*recent, *messages)})

    def _follow(
        self, alert: OpenAlert, finding: OwnerFinding | None, found: FoundAlerts
    ) -> tuple[OpenAlert | None, AlertMessage | None]:
        """Return an open alert as it is now, None where it is over, and what is told about it."""
        if self._now < alert.told:
            return alert, None
        if finding is None and alert.finding.id not in found.held:
            return None, self._message("cleared", alert)
        latest = alert.model_copy(update={"finding": finding or alert.finding})
        if self._now - alert.told < self._limits.remind_after:
            return latest, None
        reminded = latest.model_copy(update={"told": self._now})
        return reminded, self._message("reminder", reminded)

    def _message(self, event: AlertEvent, alert: OpenAlert) -> AlertMessage:
        return AlertMessage(
            id=f"{self._problem}/{alert.finding.id}/{event}/{self._now:%Y-%m-%dT%H:%M:%S}",
            event=event,
            at=self._now,
            since=alert.since,
            problem=self._problem,
            owner=self._owner,
            finding=alert.finding,
        )
