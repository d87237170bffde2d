"""How a challenger was made: which answer to a change, its window, and what each answer recovers.

Training writes it before the verdict; a later run begins with the window of the serving model.
"""

from typing import Annotated, Literal

from pydantic import Field

from contract.artifacts import Sha256
from contract.strict import Strict

Answer = Literal["threshold", "recalibration", "refit", "search"]
"""From the cheapest on: the serving model with another threshold; with other probabilities; its plan
fitted anew; a plan that was searched for."""
Amount = Annotated[float, Field(allow_inf_nan=False)]


class TriedAnswer(Strict):
    """One answer, measured on judged rows whose refits could know of the change."""

    answer: Answer
    recovered: Amount | None = None
    """Share of what was lost that it brings back, of the proper loss; None where nothing was lost."""


class Recipe(Strict):
    """How a challenger was made."""

    answer: Answer
    shipped: Sha256
    """The model that may serve: the recipe made from all labelled rows."""
    twin: Sha256
    """The one that was judged for it: the recipe made from what came before the newest judged rows."""
    since: int | None = None
    """No earlier row was learnt from, microseconds since 1970; None: all were."""
    half_life_days: Annotated[float, Field(gt=0)] | None = None
    """Age at which a row counts half; None: all count alike."""
    lost: Amount | None = None
    """The serving model's mean proper loss on the judged rows, less the one at its deployment."""
    tried: tuple[TriedAnswer, ...] = ()
    """The answers in the order in which they were tried."""
    refits: Annotated[int, Field(ge=1)] = 1
    """Models that scored the judged rows, each made from what came before."""
    refit_change: Amount | None = None
    """Median change of a row's score between two of them, on rows that the later one has learnt; of a
    probability, or of a value in standard deviations. None: there was only one."""
