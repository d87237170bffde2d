"""Every threshold that a retraining is made and judged by, as one frozen value.

`RetrainLimits()` is what the product uses. `docs/policy.md` is made from it, beside the
controller's own.
"""

from typing import Annotated

from pydantic import Field

from contract.strict import Strict

Number = Annotated[int, Field(ge=1)]
Portion = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(gt=0)]


class RetrainLimits(Strict):
    """The thresholds of judged rows, refits, answers and agreement."""

    # Which rows judge
    judged_days: Number = 3
    """Days with labels, >= 1, that judge a challenger at least; days are added backwards until there
    are so many. With two, one unusual day decides."""
    judged_rows: Number = 500
    """Labelled rows, >= 1, that judge a challenger at least, as for `min_labelled_rows`. Arbitrary."""
    judged_of_class: Number = 50
    """Labelled rows of the rarer of two classes, >= 1, that judge at least. Arbitrary."""
    vault_rows: Number = 5_000
    """Rows, >= 1, that a vault without time needs at most: its share of the rows is halved while it
    would hold more. 2,500 rows see a gain of a hundredth of AUC."""

    # How a recipe is refitted
    refits: Number = 6
    """Refits, >= 1, by which the judged days are scored forward: each costs as much as the model
    that ships."""
    refit_rows: Number = 600_000
    """Training rows of all refits together, >= 1, beyond which there are fewer of them, two at least:
    bounds the CPU time of large problems. Arbitrary."""
    recent_half_life: Days = 7.0
    """Days, > 0, after which a row counts half, in one of the windows that are compared. With 3 days
    to 60 of history the half of the span won more often. Arbitrary."""
    onset_rows: Number = 500
    """Labelled rows since a change, >= 1, from which on a model may be fitted on them alone. Measured
    on a simulated change of concept, after one day of 1,000 rows with labels: log loss .600 on the
    next day, against .674 to .709 with all rows weighed down to a tenth or to the same weight, .677
    with equal weights, and about .55 before the change: what was old is best forgotten."""
    window_z: Annotated[float, Field(ge=0)] = 1.0
    """Standard errors, >= 0, by which another window must be better than the first one, that of the
    change or of the serving model: after one day chance decides between them. Arbitrary."""
    quick_rounds: Number = 100
    """Iterations, >= 1, of the single member that compares windows and probes, at most."""
    quick_rows: Number = 30_000
    """Rows, >= 1, that it learns from at most, the newest."""

    probe_refits: Number = 3
    """Refits, >= 1, by which the benefit probe scores its days: half of a retraining's."""

    # The cheap answers
    adjust_rows: Number = 200
    """Labelled rows of the new world, >= 1, that a recalibration is fitted on at least. Arbitrary."""
    adjust_of_class: Number = 20
    """Rows of each class, >= 1, among them. Arbitrary."""
    adjust_days: Days = 7.0
    """Days, > 0, whose rows a recalibration is fitted on where no onset of a change is known: a week,
    so that weekdays do not matter."""
    slope_error: Days = 0.25
    """Prior standard deviation of a recalibration's slope around 1, > 0: a day or two of labels
    moves the offset and leaves the slope. Arbitrary."""

    # Which answer, and may it ship?
    recovered: Portion = 0.5
    """Share of what was lost, in [0, 1], that an answer must recover on judged rows; else the next,
    dearer one is tried."""
    lost: Portion = 0.02
    """Rise of the loss, as a share of the loss at deployment, in [0, 1], up to which nothing was
    lost; as for `harmless_loss`."""
    lost_skill: Portion = 0.1
    """Fall of the yardstick, as a share of what the model was better than a constant answer by at
    deployment, in [0, 1], up to which nothing was lost; as for the gate's margin."""
    agreement: Annotated[float, Field(ge=1)] = 1.5
    """Times, >= 1, that the model that ships may differ from the judged one as much as the judged
    one differs from the refit before it: medians over rows that only the later one has learnt."""
    agreement_floor: Annotated[float, Field(ge=0)] = 0.02
    """Difference that always agrees, >= 0: of a probability, or of a value in standard deviations of
    the judged one's scores. Two days of 300 rows move a recalibration by .013. Arbitrary."""
