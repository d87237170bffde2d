"""The gate's verdict: which model was judged, against which, by which checks, and why.

The verdict is bound to the digest that it judged. It says `accepted` only where every check passed;
a check that could not be judged refuses like one that failed, with a sentence of its own.
"""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, NonNegativeInt, model_validator

from contract.artifacts import Sha256
from contract.formatting import format_probability, format_score
from contract.recipe import Answer
from contract.strict import Strict

Finite = Annotated[float, Field(allow_inf_nan=False)]

Rule = Literal["first", "superior", "non-inferior", "alarm"]
"""`first`: no champion yet, absolute checks only. `superior`: better than the champion by the
yardstick, with the problem's confidence. `non-inferior`: not worse by more than a margin, for a
refresh by age. `alarm`: superior, or better by the proper score that the alarm named and not worse
than the margin by the yardstick.
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


class Measured(Strict):
    """What one measure says of the judged model and of the champion, on the same rows."""

    name: str
    """`value` for the mean value of a decision, else the metric's name."""
    unit: str | None = None
    """None: a number without a unit; else that of one decision, "" where the problem names none."""
    score: Finite | None = None
    """Of the judged model."""
    baseline: Finite | None = None
    """Of the champion."""
    gain: Finite | None = None
    """Positive is better, whatever the measure; None where nothing was compared."""
    low: Finite | None = None
    high: Finite | None = None
    """With `low` the central 95 % interval of the gain, by blocks."""
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    """That the gain is above 0."""

    @property
    def label(self) -> str:
        """What is measured, and in what: `roc_auc`, `value in $ a decision`."""
        unit = f" in {self.unit}" if self.unit else ""
        return self.name if self.unit is None else f"{self.name}{unit} a decision"

    @property
    def sentence(self) -> str:
        """Both scores and the gain, as a clause.

        >>> Measured(name="value", unit="$", score=1.253, baseline=0.743, gain=0.514).sentence
        '$1.25 a decision, the champion $0.743 a decision, a gain of +$0.514 a decision'
        """
        name = f"{self.name} " if self.unit is None else ""
        text = f"{name}{format_score(self.score, self.unit)}"
        if self.baseline is not None:
            text += f", the champion {format_score(self.baseline, self.unit)}"
        if self.gain is not None:
            gain = format_score(self.gain, self.unit, self.low, self.high, signed=True)
            text += f", a gain of {gain}"
        if self.probability is not None:
            text += f", above 0 with probability {format_probability(self.probability)}"
        return text


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
    yardstick: Measured | None = None
    """What models are compared by: the value of a decision where declared, else the metric."""
    loss: Measured | None = None
    """The proper score beside it: log loss, or the squared error of a regression."""
    threshold: Finite | None = None
    """Of a binary model's decisions, as judged."""
    baseline_threshold: Finite | None = None
    """The champion's."""
    margin: Finite | None = None
    """By how much it may be worse where that is asked, in the yardstick's unit."""
    seen: Finite | None = None
    """The smallest gain that these rows could have shown, in the yardstick's unit."""
    twin: Sha256 | None = None
    """The bundle that scored the rows, where `judged` is the same recipe fitted on more of them."""

    answer: Answer | None = None
    """How the challenger answers a change; None in verdicts of earlier versions."""
    recovered: Finite | None = None
    """Share of what the champion had lost that the answer brings back on judged rows, by the proper
    loss; None where nothing was lost, or nobody knows."""
    stand_in: Sha256 | None = None
    """The champion's own judged twin, where it was compared in its place."""
    stand_in_rows: NonNegativeInt = 0
    """Rows on which it was: the champion has learnt them."""

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
