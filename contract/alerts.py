"""The alerts of a problem: what is open, and what its owner has still to be told.

`PROBLEM/alerts.json`, moved by compare-and-swap. A message is written here together with the alert
that it is about and leaves when every channel has taken it, so that a restart repeats nothing and
loses nothing (an outbox: Richardson, "Microservices Patterns", 2018, section 3.3).
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field, NonNegativeInt

from contract.strict import Strict

AlertEvent = Literal["raised", "reminder", "cleared", "test"]


class OwnerFinding(Strict):
    """One thing that needs a person, under an id that stays the same as long as it lasts."""

    id: str
    """Such as `blocked:fare` or `no_verdict`; what stands before the colon is its kind."""
    sentence: str
    """What was found and what was expected."""
    impact: str | None = None
    """What it costs, with its unit; None where that is not measured."""
    column: str | None = None
    """The column to look at first."""
    command: str
    """What a person may run about it."""
    day: date | None = None
    """The day whose page has the evidence."""

    @property
    def kind(self) -> str:
        """What it is, whichever column or reason it is about."""
        return self.id.partition(":")[0]


class OpenAlert(Strict):
    """A finding that its owner was told of, and that is not over."""

    finding: OwnerFinding
    since: AwareDatetime
    told: AwareDatetime
    """When the last message about it was written."""


class AlertMessage(Strict):
    """What a channel sends."""

    id: str
    """Of this message alone, so that a receiver can leave out a second delivery."""
    event: AlertEvent
    at: AwareDatetime
    since: AwareDatetime
    """When the finding began."""
    problem: str
    owner: str
    finding: OwnerFinding
    delivered: tuple[str, ...] = ()
    """The channels that took it."""


class SourceProgress(Strict):
    """When a source had new rows last."""

    generation: NonNegativeInt
    since: AwareDatetime


class AlertState(Strict):
    """The document."""

    nonce: str = ""
    """New in every body: an ETag is a digest, and equal bodies would hide a write."""
    open: tuple[OpenAlert, ...] = ()
    """Oldest first."""
    outbox: tuple[AlertMessage, ...] = ()
    """Oldest first."""
    sources: dict[str, SourceProgress] = Field(default_factory=dict)

    def mark_delivered(self, delivered: dict[str, set[str]], channels: set[str]) -> "AlertState":
        """Return the state without the messages that all `channels` have taken.

        `delivered` names the channels that took each message just now, by the message's id.
        """
        marked = (
            message.model_copy(
                update={
                    "delivered": tuple(
                        sorted({*message.delivered, *delivered.get(message.id, set())})
                    )
                }
            )
            for message in self.outbox
        )
        left = tuple(message for message in marked if not channels <= set(message.delivered))
        return self.model_copy(update={"outbox": left})


def describe_alert(message: AlertMessage, link: str | None) -> str:
    """Return the message as lines of text, for a channel that people read."""
    finding = message.finding
    first = {
        "raised": f"{message.problem}: {finding.sentence}",
        "reminder": f"{message.problem}: still open since {message.since:%Y-%m-%d}: {finding.sentence}",
        "cleared": f"{message.problem}: over, since {message.at:%Y-%m-%d}: {finding.sentence}",
        "test": f"{message.problem}: {finding.sentence}",
    }[message.event]
    lines = [first]
    if message.event != "cleared":
        lines += [f"Cost: {finding.impact}."] if finding.impact else []
        lines += [f"Look first at the column {finding.column!r}."] if finding.column else []
        lines += [f"What to run: {finding.command}"]
    lines += [f"Evidence: {link}"] if link else []
    return "\n".join([*lines, f"Owner: {message.owner}"])
