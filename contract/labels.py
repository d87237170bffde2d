"""How labels arrive, where the loss on them is worst, and what to expect where they are not known yet."""

from datetime import date
from typing import Literal

from pydantic import Field

from contract.strict import Strict


class LabelHealth(Strict):
    """How labels arrive: how late, how many, and what is wrong with them, as of the day's end."""

    curve: dict[int, float] = Field(default_factory=dict)
    """Share of the finally known labels that is known at an age of so many days, in [0, 1]."""
    mature_days: int | None = None
    """Age in days from which on a day's labels count as complete; None: it is not known yet."""
    coverage: float | None = None
    """Labelled share of the rows of the mature days that were looked at; None: there are none."""
    expected: float = 0.0
    """Labels that the curve says should have arrived in the verdict window."""
    arrived: int = 0
    """Labels that did."""
    contradicting: int = 0
    """Rows with two different labels that were known at the same time."""
    unknown_class: int = 0
    """Labels that the model does not know: of another class, or no number."""
    unmatched: int = 0
    """Labels of the looked-at days for which nothing was served."""
    stopped: bool = False
    """True where labels should have arrived and hardly any did."""
    suspect: bool = False
    """True where too many labels are contradicting or unknown to measure a loss by them."""
    newest_mature: date | None = None
    """The newest day whose labels count as complete."""
    sentences: tuple[str, ...] = ()
    """What a person should know: found, expected, what to do."""


class LossEstimate(Strict):
    """The loss that the scores of unlabelled rows let expect; shown, never decided on.

    Blind to a changed concept by construction: it takes the scores' calibration as given.
    """

    metric: Literal["log_loss", "squared_error"]
    method: Literal["cbpe", "dle"]
    value: float
    """Mean per row, over the newest days whether labelled or not."""
    rows: int
    first: date
    last: date
    tracked_error: float | None = None
    """Mean absolute error of the same estimate on days whose labels came later; None: none came."""
    tracked_days: int = 0


class SegmentLoss(Strict):
    """The champion's loss in one category of one column, beside its loss on all labelled rows."""

    column: str
    value: str
    rows: int
    loss: float
    expected: float
    """The loss that the model's own scores let expect there: hard rows are no news."""
    change: float
    """loss / expected - 1."""
    q: float
    """That it is no worse than the other rows against what was expected; adjusted for the number of
    segments (Benjamini and Hochberg)."""
    is_worse: bool
    """Surely, and by as much as a rise of the whole loss must have."""
