"""What the story claims, and whether it was found so in the store, in Airflow and at the service."""

from dataclasses import dataclass, field


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
