"""What the story claims, and whether it was found so in the store, in Airflow and at the service."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from contract.store.ledger import LedgerEntry


@dataclass(frozen=True)
class Check:
    """One claim and what was found."""

    claim: str
    holds: bool
    found: str


@dataclass
class Checks:
    """All claims of one telling."""

    made: list[Check] = field(default_factory=list)

    def verify(self, claim: str, *, holds: bool, found: str) -> bool:
        """Keep a claim with what was found; return whether it holds."""
        self.made.append(Check(claim, holds, found))
        return holds

    @property
    def all_hold(self) -> bool:
        """Whether there are claims and each of them was found so."""
        return bool(self.made) and all(check.holds for check in self.made)


class Story(Protocol):
    """What a telling leaves behind."""

    name: str
    """Of its problem."""
    checks: Checks

    def tell(self) -> None:
        """Tell all of it."""

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""

    def links(self) -> dict[str, str]:
        """Return where to look."""


def document(story: Story) -> dict[str, Any]:
    """Return a telling as one JSON document."""
    return {
        "checks": [
            {"claim": check.claim, "holds": check.holds, "found": check.found}
            for check in story.checks.made
        ],
        "ledger": [json.loads(entry.model_dump_json()) for entry in story.entries()],
        "links": story.links(),
    }
