"""The checks by the yardstick: is the model better than a constant answer, and than the champion?

Better: the yardstick's gain is surely above 0. Where an alarm by a proper score asked for the run, a
sure gain in that score is an answer too, if the yardstick is not worse than the margin. By two questions
an equal model passes at most twice as often as by one (Bonferroni), which the default allows for.

Not worse: what the challenger keeps of the champion's gain over a constant answer is surely more than
all but the declared share. The margin so is what the champion is for, never the noise of the rows,
and its own uncertainty counts.

Sources: Wellek, "Testing Statistical Hypotheses of Equivalence and Noninferiority", 2010, section
1.2; Rothmann et al., "Design and analysis of non-inferiority mortality trials in oncology",
Statistics in Medicine 22, 2003 (a share of the effect is kept).
"""

from dataclasses import dataclass

from contract.formatting import format_probability, format_share
from contract.problem.gates import BeatsChampion
from contract.verdict import Check, Rule
from methods.models.bootstrap import Gain
from methods.models.yardstick import Yardstick
from tasks.evaluation.rivals import FEWEST_BLOCKS, Rivals, describe

# Monitoring's findings that are measured by a proper score.
ALARM_REASONS = frozenset({"performance", "benefit", "prior"})
REFRESH_REASONS = frozenset({"age"})
# Of a challenger, that it beats a constant answer. Whether it is better than what serves is the
# champion's question; in days when a constant is hard to beat the champion does no better.
LIKELY = 0.5


@dataclass(frozen=True)
class Compared:
    """A check, and what it was decided by."""

    check: Check
    gain: Gain | None = None
    """By the yardstick."""
    loss_gain: Gain | None = None
    """By the proper score."""
    margin: float | None = None
    """In the yardstick's unit."""
    seen: float | None = None
    """The smallest gain that these rows could have shown."""


def rule_for(reason: str, *, has_champion: bool) -> Rule:
    """Return the rule by which the model is compared: a refresh need not be better."""
    if not has_champion:
        return "first"
    if reason in REFRESH_REASONS:
        return "non-inferior"
    return "alarm" if reason in ALARM_REASONS else "superior"


def check_dummy(rivals: Rivals, *, skill: float, confidence: float) -> Compared:
    """Is the model better than the best constant answer, by a share of what a perfect one would be?

    A first model surely, a challenger more likely than not.

    The share is a skill score: Murphy, "Skill scores based on the mean square error and their
    relationships to the correlation coefficient", Monthly Weather Review 116, 1988.
    """
    yardstick = rivals.yardstick
    gain = rivals.gain(yardstick, "new", "constant")
    perfect = rivals.gain(yardstick, "perfect", "constant")
    if gain is None or perfect is None:
        why = f"{yardstick.name} of model and constant answer cannot be compared on {rivals.size}."
        return Compared(Check(name="dummy", passed=None, why=why, limit=confidence))
    probability = min(gain.probability, gain.plus(perfect, -skill).probability_above(0.0))
    needed = confidence if rivals.old is None else LIKELY
    passed = probability >= needed
    reached = gain.value / perfect.value if perfect.value > 0.0 else 0.0
    why = (
        f"it beats a constant answer by {describe(yardstick, gain)} of {yardstick.name}, "
        f"{format_share(reached)} of what a perfect answer would; that it is more than "
        f"{format_share(skill)} has probability {format_probability(probability)}, {needed:g} is needed"
        + ("." if passed else ": look at the columns.")
    )
    check = Check(name="dummy", passed=passed, why=why, found=probability, limit=needed)
    return Compared(check, gain)


def check_champion(rivals: Rivals, *, rule: Rule, reason: str, required: BeatsChampion) -> Compared:
    """Is the model better than the champion, or, where that is enough, not worse than the margin?"""
    yardstick = rivals.yardstick
    gain = rivals.gain(yardstick, "new", "old")
    if gain is None:
        why = (
            f"{yardstick.name} of challenger and champion cannot be compared on {rivals.size}; "
            f"{FEWEST_BLOCKS} blocks with a number each are needed: the champion stays."
        )
        limit = required.confidence
        return Compared(Check(name="champion", passed=None, why=why, limit=limit))
    question = _Question(rivals, required, gain)
    if rule == "non-inferior":
        answer = question.is_not_worse()
    elif rule == "alarm" and not _are_alike(yardstick, rivals.loss):
        answer = question.answers_alarm(reason)
    else:
        answer = question.is_better(required.confidence)
    passed, found, limit, sentence = answer
    why = (
        f"its gain over the champion is {describe(yardstick, gain)} of {yardstick.name}; {sentence}"
    )
    if required.metric_margin is not None:
        why += f" {question.notice}"
    return Compared(
        Check(name="champion", passed=passed, why=why, found=found, limit=limit),
        gain,
        rivals.gain(rivals.loss, "new", "old"),
        question.margin,
        gain.smallest_seen(limit),
    )


_Answer = tuple[bool, float, float, str]
"""Whether it passes, the probability, what is needed, and the sentence."""


@dataclass(frozen=True)
class _Question:
    """The two questions about a gain over the champion."""

    rivals: Rivals
    required: BeatsChampion
    gain: Gain

    @property
    def lead(self) -> Gain | None:
        """The champion's gain over a constant answer; None where it has none, or none is measured."""
        lead = self.rivals.gain(self.rivals.yardstick, "old", "constant")
        return lead if lead is not None and lead.value > 0.0 else None

    @property
    def declared(self) -> float | None:
        """The margin of an earlier version's file; None: it has none, or in another unit."""
        return None if self.rivals.yardstick.unit is not None else self.required.metric_margin

    @property
    def margin(self) -> float:
        """By how much the challenger may be worse, in the yardstick's unit."""
        if self.declared is not None:
            return self.declared
        return self.required.margin_share * self.lead.value if self.lead else 0.0

    @property
    def notice(self) -> str:
        """What is said of a margin that is a number."""
        counts = (
            "" if self.declared is not None else " It counts for nothing beside a declared value."
        )
        return f"{self.required.notice}{counts}"

    def is_better(self, confidence: float) -> _Answer:
        """Is the yardstick's gain sure?"""
        limit = self.declared or 0.0
        probability = self.gain.probability_above(limit)
        passed = probability >= confidence
        above = self.rivals.yardstick.describe(limit) if limit else "0"
        return (
            passed,
            probability,
            confidence,
            f"that it is above {above} has probability {format_probability(probability)}, "
            f"{confidence:g} is needed" + ("." if passed else self._why_not(confidence)),
        )

    def is_not_worse(self) -> _Answer:
        """Is it surely not worse than the margin?"""
        confidence = self.required.confidence
        probability = self._kept()
        passed = probability >= confidence
        margin = self.rivals.yardstick.describe(self.margin)
        whose = (
            "as declared"
            if self.declared is not None
            else f"{format_share(self.required.margin_share)} of the champion's gain over a constant"
        )
        return (
            passed,
            probability,
            confidence,
            f"that it is not worse by more than {margin} ({whose}) has probability "
            f"{format_probability(probability)}, {confidence:g} is needed"
            + ("." if passed else self._why_not(confidence)),
        )

    def answers_alarm(self, reason: str) -> _Answer:
        """Is the yardstick's gain sure, or that of the loss which raised the alarm, at no one's cost?"""
        confidence = self.required.confidence
        by_yardstick = self.is_better(confidence)
        loss = self.rivals.loss
        gain = self.rivals.gain(loss, "new", "old")
        if by_yardstick[0] or gain is None:
            return by_yardstick
        kept = self.is_not_worse()
        sure = gain.probability >= confidence
        found = (
            f"{by_yardstick[3]} The alarm was {reason}: the gain in {loss.name} is {describe(loss, gain)}, "
            f"above 0 with probability {format_probability(gain.probability)}, {confidence:g} is needed; "
            f"{kept[3]}"
        )
        if not sure or kept[0]:
            return sure, gain.probability, confidence, found
        return False, kept[1], kept[2], found

    def _kept(self) -> float:
        if self.declared is not None or self.lead is None:
            return self.gain.probability_above(-self.margin, or_equal=True)
        kept = self.gain.plus(self.lead, self.required.margin_share)
        return kept.probability_above(0.0, or_equal=True)

    def _why_not(self, confidence: float) -> str:
        """Return why the champion stays: nothing differs, it is worse, or the rows cannot tell."""
        if self.gain.deviation == 0.0 and self.gain.value == 0.0:
            return ": the two score alike in every block, and the champion stays."
        if self.gain.probability_above(0.0, or_equal=True) <= 1.0 - confidence:
            return ": it is worse, and the champion stays."
        seen = self.rivals.yardstick.describe(self.gain.smallest_seen(confidence))
        return f": a gain below {seen} could not be seen on {self.rivals.size}, and the champion stays."


def _are_alike(yardstick: Yardstick, loss: Yardstick) -> bool:
    """Tell whether the two order models alike, so that they are one question."""
    return yardstick.name == loss.name or {yardstick.name, loss.name} == {"rmse", "squared_error"}
