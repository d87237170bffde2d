"""Notify the owner of what happened in a run, by every channel of the problem: one message an event.

These are events, told when they happen: a task failed for good, a model was promoted, refused or
taken back, a retraining was asked for. What lasts (broken data, silence) is an alert, which
`dags/delivery.py` tells. A message that cannot be delivered is logged and changes nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract.problem import Problem
from dags.channels import PAUSES, NotDeliveredError, send
from dags.delivery import channels_of

if TYPE_CHECKING:
    from airflow.sdk import Context

# Outcomes that a person is notified of, and the event's name; the others are in the pages.
EVENTS = {
    "refused": "refused",
    "deployed": "promoted",
    "returned": "returned",
    "retrain": "retrain",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnerNotifier:
    """The callbacks of one problem's tasks."""

    problem: Problem | None
    """None: of no problem; only the address of the environment is told."""
    pauses: Sequence[float] = PAUSES
    """Seconds between two tries of a channel."""

    def failure(self, context: "Context") -> None:
        """Send an alarm: a task has failed for good."""
        why = str(context.get("exception") or "the task ended without a message")
        self._send("failed", why, context)

    def outcome(self, context: "Context") -> None:
        """Send an alarm about a stage's outcome, where a person should know it."""
        if not channels_of(self.problem):
            return
        result = context["ti"].xcom_pull(task_ids=context["ti"].task_id)
        outcome = result.get("outcome") if isinstance(result, dict) else None
        if outcome in EVENTS:
            reason = result.get("facts", {}).get("reason", "")
            self._send(EVENTS[outcome], f"{outcome}: {reason}" if reason else outcome, context)

    def _send(self, event: str, sentence: str, context: "Context") -> None:
        task = context["ti"]
        body = {
            "problem": task.dag_id.rpartition("__")[0] or task.dag_id,
            "event": event,
            "sentence": sentence,
            "owner": context["task"].owner,
            "dag": task.dag_id,
            "run": task.run_id,
            "task": task.task_id,
        }
        text = f"{body['problem']}: {event}: {sentence}\nOwner: {body['owner']}"
        key = f"{task.dag_id}/{task.run_id}/{task.task_id}/{event}"
        for name, channel in channels_of(self.problem).items():
            try:
                send(channel, text, body, key, self.pauses)
            except NotDeliveredError as error:
                log.warning("the channel %s: %s", name, error)
