"""The gate's verdict: which model was judged, against which, by which checks, and why.

The verdict is bound to the digest that it judged. It says `accepted` only where every check passed;
a check that could not be judged refuses like one that failed, with a sentence of its own.
"""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, NonNegativeInt, model_validator

from contract.artifacts import Sha256
from contract.strict import Strict

Finite = Annotated[float, Field(allow_inf_nan=False)]

Rule = Literal["first", "superior", "non-inferior"]
"""`first`: no champion yet, absolute checks only. `superior`: better than the champion with the
problem's confidence. `non-inferior`: not worse by more than a margin, for a refresh by age or prior.
"""


class Check(Strict):
    """One question of the gate and its answer."""

    name: str
    passed: bool | None
    """None: it could not be judged, which refuses."""
    why: str
    """One sentence: what was found, what was expected; what to do, where it refuses."""
    found: Finite | None = None
    limit: Finite | None = None


class Verdict(Strict):
    """What the gate decided about one model."""

    verdict: Literal["accepted", "refused"]
    judged: Sha256
    """The digest of the model in question."""
    baseline: Sha256 | None
    """The champion it was compared with; None reads as *first model: absolute checks only*."""
    rule: Rule
    metric: str
    score: Finite | None
    """Of the judged model on the vault, in the metric's unit; None where it could not be scored."""
    baseline_score: Finite | None
    """Of the champion on the same rows."""
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    reasons: tuple[str, ...]
    """The sentences of the checks that refuse; empty when accepted."""
    rows: NonNegativeInt
    """Labelled rows of the vault on which both were scored."""
    window_end: AwareDatetime
    """The run's own "now"."""

    @model_validator(mode="after")
    def _agrees_with_its_checks(self) -> Self:
        """Refuse a verdict whose word differs from its checks."""
        refusing = tuple(check.why for check in self.checks if check.passed is not True)
        if refusing != self.reasons:
            message = (
                "reasons must be the sentences of the checks that did not pass, in their order"
            )
            raise ValueError(message)
        if (self.verdict == "accepted") != (not refusing):
            message = (
                f"verdict {self.verdict!r} does not follow from {len(refusing)} refusing checks"
            )
            raise ValueError(message)
        if (self.baseline is None) != (self.rule == "first"):
            message = f"rule {self.rule!r} does not fit baseline {self.baseline!r}"
            raise ValueError(message)
        return self

    def allows(self, digest: str) -> bool:
        """Tell whether this verdict lets the model of that digest be deployed."""
        return self.verdict == "accepted" and self.judged == digest
