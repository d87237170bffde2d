"""Notify the owner of what happened: one POST to `$PERENNIAL_WEBHOOK` for each event.

Without that name nothing is sent. An alarm that cannot be delivered is logged and changes nothing.
"""

import json
import logging
import os
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

VARIABLE = "PERENNIAL_WEBHOOK"
SECONDS = 5
# Outcomes that a person is notified of, and the event's name; the others are in the pages.
EVENTS = {
    "refused": "refused",
    "deployed": "promoted",
    "returned": "returned",
    "retrain": "retrain",
}
# Facts of monitoring: a data fault that began, or ended, with its sentence. The outcome is
# `blocked_data_quality` on every day of the fault; the owner is notified on its first day and its end.
FAULT_EVENTS = ("blocked", "cleared")

log = logging.getLogger(__name__)


def notify_failure(context: "Context") -> None:
    """Send an alarm: a task has failed for good."""
    if os.environ.get(VARIABLE):
        _send(
            "failed", str(context.get("exception") or "the task ended without a message"), context
        )


def notify_outcome(context: "Context") -> None:
    """Send an alarm about a stage's outcome, where a person should know it."""
    if not os.environ.get(VARIABLE):
        return
    result = context["ti"].xcom_pull(task_ids=context["ti"].task_id)
    if not isinstance(result, dict):
        return
    outcome, facts = result.get("outcome"), result.get("facts", {})
    for event in FAULT_EVENTS:
        if event in facts:
            _send(event, facts[event], context)
    if outcome in EVENTS:
        reason = facts.get("reason", "")
        _send(EVENTS[outcome], f"{outcome}: {reason}" if reason else outcome, context)


def _send(event: str, sentence: str, context: "Context") -> None:
    task = context["ti"]
    message: dict[str, Any] = {
        "problem": task.dag_id.rpartition("__")[0] or task.dag_id,
        "event": event,
        "sentence": sentence,
        "owner": context["task"].owner,
        "dag": task.dag_id,
        "run": task.run_id,
        "task": task.task_id,
    }
    url = os.environ[VARIABLE]
    if not url.startswith(("http://", "https://")):
        log.warning("%s is no http address; nobody was notified: %s", VARIABLE, sentence)
        return
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, json.dumps(message).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 - as above
            pass
    except OSError as error:
        log.warning("the webhook did not take the alarm: %s", error)
