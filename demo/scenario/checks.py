"""What a scenario claims, and what was read back of it from the store, Airflow and the service."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from contract.store.ledger import LedgerEntry


@dataclass(frozen=True)
class Claim:
    """One claim and what was found."""

    claim: str
    holds: bool
    found: str


@dataclass
class Verification:
    """All claims of one scenario."""

    claims: list[Claim] = field(default_factory=list)

    def verify(self, claim: str, *, holds: bool, found: str) -> bool:
        """Keep a claim with what was found; return whether it holds."""
        self.claims.append(Claim(claim, holds, found))
        return holds

    @property
    def all_hold(self) -> bool:
        """Whether there are claims and each of them holds."""
        return bool(self.claims) and all(claim.holds for claim in self.claims)


class Scenario(Protocol):
    """A scenario on a platform that is up."""

    name: str
    """Of its problem."""
    verification: Verification

    def run(self) -> None:
        """Run every step."""

    def entries(self) -> list[LedgerEntry]:
        """Return what was decided, oldest first."""

    def links(self) -> dict[str, str]:
        """Return where a person looks."""

    def last_line(self) -> str:
        """Return what the scenario ends with; "" where there is nothing to say."""


def document(scenario: Scenario) -> dict[str, Any]:
    """Return the result of a scenario as one JSON document."""
    return {
        "checks": [
            {"claim": claim.claim, "holds": claim.holds, "found": claim.found}
            for claim in scenario.verification.claims
        ],
        "ledger": [json.loads(entry.model_dump_json()) for entry in scenario.entries()],
        "links": scenario.links(),
        "earned": scenario.last_line(),
    }
