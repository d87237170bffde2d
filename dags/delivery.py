"""Deliver what waits in a problem's outbox to each of its channels, and try the channels.

A message that one channel took and another did not is sent again to the other alone. Nothing here
fails a task: what is not delivered waits for the next run.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from contract.alerts import AlertMessage, OwnerFinding, describe_alert
from contract.errors import PerennialError
from contract.problem import Channel, Problem, WebhookChannel
from dags.channels import PAUSES, NotDeliveredError, send

if TYPE_CHECKING:
    from airflow.sdk import Context

WEBHOOK = "PERENNIAL_WEBHOOK"
"""An address that gets every message of every problem, unsigned."""

BASE_URL = "AIRFLOW__API__BASE_URL"
"""Where people reach Airflow's pages; the platform sets it."""

log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """What one channel answered."""

    channel: str
    taken: bool
    answer: str


def channels_of(problem: Problem | None) -> dict[str, Channel]:
    """Return the channels of a problem by name: its own, and that of the environment."""
    own = {} if problem is None else dict(problem.alerts.channels)
    if os.environ.get(WEBHOOK):
        own[f"${WEBHOOK}"] = WebhookChannel(kind="webhook", url=WEBHOOK)
    return own


class DeliverOutbox:
    """A callback of a task that may have written messages: it delivers them."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __call__(self, context: "Context") -> None:
        """Deliver; what goes wrong is logged."""
        channels = channels_of(self._problem)
        if not channels:
            return
        try:
            deliver(self._problem.name, channels, context)
        except PerennialError as error:
            log.warning("the alerts wait: %s", error)


def deliver(
    problem: str,
    channels: dict[str, Channel],
    context: "Context",
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Send every message to each channel that has not taken it, and note who took it.

    `pauses` are the seconds between two tries of a channel.

    Raises:
        PerennialError: the store is away, or the alerts cannot be read.
    """
    from contract.store.alert_state import (  # noqa: PLC0415 - boto3, where there is something to tell
        change_alerts,
        read_alerts,
    )
    from contract.store.client import Store  # noqa: PLC0415 - as above

    store = Store.from_environment()
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for message in read_alerts(store, problem).outbox:
        for name, channel in channels.items():
            if name not in message.delivered:
                answer = _send(name, channel, message, context, pauses)
                if answer.taken:
                    taken[message.id].add(name)
    if taken:
        change_alerts(store, problem, lambda state: state.mark_delivered(taken, set(channels)))


def try_channels(
    problem: Problem, context: "Context", pauses: Sequence[float] = ()
) -> list[Delivery]:
    """Send a test message to each channel and return what each answered."""
    now = datetime.now(UTC)
    finding = OwnerFinding(
        id="test",
        sentence="This is a test: alerts of this problem arrive here.",
        command=f"perennial alert {problem.name}",
    )
    message = AlertMessage(
        id=f"{problem.name}/test/{now.isoformat()}",
        event="test",
        at=now,
        since=now,
        problem=problem.name,
        owner=problem.owner,
        finding=finding,
    )
    return [
        _send(name, channel, message, context, pauses)
        for name, channel in channels_of(problem).items()
    ]


def _send(
    name: str,
    channel: Channel,
    message: AlertMessage,
    context: "Context",
    pauses: Sequence[float],
) -> Delivery:
    link = _link(message)
    text, body = describe_alert(message, link), body_of(message, link, context)
    try:
        answer = send(channel, text, body, message.id, pauses)
    except NotDeliveredError as error:
        log.warning("the channel %s did not take an alert: %s", name, error)
        return Delivery(name, taken=False, answer=str(error))
    return Delivery(name, taken=True, answer=answer)


def body_of(message: AlertMessage, link: str | None, context: "Context") -> dict[str, Any]:
    """Return the message as a webhook gets it: also the fields of every other event's."""
    finding, task = message.finding, context["ti"]
    event = finding.kind if message.event == "raised" else message.event
    return {
        "problem": message.problem,
        "event": event,
        "sentence": finding.sentence,
        "owner": message.owner,
        "dag": task.dag_id,
        "run": task.run_id,
        "task": task.task_id,
        "alert": finding.id,
        "since": message.since.isoformat(),
        "impact": finding.impact,
        "column": finding.column,
        "command": finding.command,
        "link": link,
    }


def _link(message: AlertMessage) -> str | None:
    """Return the address of the page with the evidence, where Airflow knows its own address."""
    base = os.environ.get(BASE_URL, "").rstrip("/")
    if not base:
        return None
    if message.finding.day is None:
        return f"{base}/perennial/problems"
    return f"{base}/perennial/day/{quote(message.problem)}__monitoring/{message.finding.day}"
