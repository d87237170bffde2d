"""One column on one day beside its reference: what every check of a column looks at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract.faults import Check, Fault
from methods.drift.histograms import Histogram
from methods.drift.limits import QualityLimits
from methods.drift.profile import ColumnReference
from methods.drift.summaries import FEWEST_ROWS, Summary


@dataclass(frozen=True)
class ColumnDay:
    """A column of the reference, and the day's values of it."""

    name: str
    column: ColumnReference
    now: Histogram
    summary: Summary | None
    """Of numbers; None where the day has none, and nothing that needs it is checked."""
    before: Sequence[Histogram]
    """Of earlier days in limits."""
    limits: QualityLimits

    def step(self, limit: float, calm: float, measure: Callable[[Histogram], float]) -> float:
        """Return the limit of a share: raised to what the reference did, and to the days before.

        A fault is a step. What grew from day to day, each of them in limits, is the world.
        """
        recent = max((measure(each) for each in self.before if each.present), default=0.0)
        raised = max(limit, self.limits.baseline_factor * calm)
        return max(raised, recent + limit / 2) if recent else raised

    def fault(self, check: Check, value: float, limit: float, what: str) -> list[Fault]:
        """Return one fault of this column; `what` follows its name."""
        sentence = f"{self.name!r} {what}."
        return [
            Fault(
                check=check,
                column=self.name,
                found=round(value, 4),
                limit=round(limit, 4),
                sentence=sentence,
            )
        ]

    @property
    def is_countable(self) -> bool:
        """True where there are values enough for a share."""
        return self.now.present >= FEWEST_ROWS


def missing_share(histogram: Histogram) -> float:
    """Return the share of all rows without a value."""
    return histogram.missing / max(histogram.rows, 1)
