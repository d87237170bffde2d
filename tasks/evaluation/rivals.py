"""Challenger, champion and a constant answer on the same rows, by any measure.

Every one of them is scored on the same draws of the same blocks, so that gains can be added up draw
by draw.
"""

from dataclasses import dataclass, field

import numpy as np

from contract.verdict import Measured
from methods.models.bootstrap import (
    Gain,
    Scored,
    ScoreDraws,
    gain_between,
    group_blocks,
    score_draws,
)
from methods.models.yardstick import Yardstick
from tasks.evaluation.vault import Vault

# With Student's t three days in agreement can tell, if they agree well.
FEWEST_BLOCKS = 3


@dataclass
class Rivals:
    """What is compared on the vault's rows; the draws of each are made once."""

    vault: Vault
    yardstick: Yardstick
    loss: Yardstick
    """The proper score."""
    new: Scored
    old: Scored | None
    constant: Scored
    """The best constant answer by the yardstick."""
    classes: int
    """0 of a regression."""
    seed: int
    _draws: dict[tuple[str, str], ScoreDraws] = field(default_factory=dict)

    def gain(self, measure: Yardstick, new: str, old: str) -> Gain | None:
        """Return the gain of one of `new`, `old`, `constant`, `perfect` over another.

        None where it cannot be measured.
        """
        if group_blocks(self.vault.blocks)[1] < FEWEST_BLOCKS:
            return None
        gain = gain_between(measure, self._of(measure, new), self._of(measure, old))
        numbers = (gain.value, gain.low, gain.high, gain.deviation)
        return gain if all(np.isfinite(one) for one in numbers) else None

    def _of(self, measure: Yardstick, name: str) -> ScoreDraws:
        key = (measure.name, name)
        if key not in self._draws:
            scored = self._scored(measure, name)
            self._draws[key] = score_draws(
                measure,
                self.vault.truth,
                scored,
                self.vault.blocks,
                seed=self.seed,
                strata=self.vault.strata,
            )
        return self._draws[key]

    def _scored(self, measure: Yardstick, name: str) -> Scored:
        if name == "perfect":
            return Scored(measure.perfect(self.vault.truth, self.classes))
        scored = {"new": self.new, "old": self.old, "constant": self.constant}[name]
        return scored or Scored(np.full(len(self.vault.truth), np.nan))

    @property
    def size(self) -> str:
        """Rows and blocks in words."""
        return f"{len(self.vault.truth):,} rows in {group_blocks(self.vault.blocks)[1]} blocks"


def measured(rivals: Rivals, measure: Yardstick, gain: Gain | None) -> Measured:
    """Return what a measure says of both models, as the verdict holds it."""
    truth = rivals.vault.truth
    scores = [
        measure.score(truth, one.predicted, one.threshold, rivals.vault.strata)
        if one is not None and len(truth)
        else None
        for one in (rivals.new, rivals.old)
    ]
    score, baseline = (one if one is not None and np.isfinite(one) else None for one in scores)
    return Measured(
        name=measure.name,
        unit=measure.unit,
        score=score,
        baseline=baseline,
        gain=gain.value if gain else None,
        low=gain.low if gain else None,
        high=gain.high if gain else None,
        probability=gain.probability if gain else None,
    )


def describe(measure: Yardstick, gain: Gain) -> str:
    """Write a gain with its interval."""
    return measure.describe(gain.value, gain.low, gain.high, signed=True)
