"""The limits of drift and of quality, as values: what a comparison of two profiles is held to.

They are a part of the retrain controller's policy (`methods.controller.policy.Policy`) and stand
here because drift and quality know no controller.
"""

from typing import Annotated

from pydantic import Field

from contract.strict import Strict

Fraction = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=1)]
Count = Annotated[int, Field(ge=1)]
Deviations = Annotated[float, Field(ge=0)]


class DriftLimits(Strict):
    """When a column, or the model's score, counts as drifted."""

    false_discoveries: Fraction = 0.01
    """Expected share of false ones among the significant columns, in [0, 1]. Small, since a verdict
    is given every day. Source: Benjamini and Hochberg, JRSS B 57(1), 1995."""
    drifted: Annotated[float, Field(gt=0)] = 0.10
    """Corrected stability index, > 0, from which a significant column has drifted: the field's
    "moderate" index. Source: Yurdakul, Western Michigan University, 2018."""
    warned: Annotated[float, Field(gt=0)] = 0.05
    """Corrected stability index, > 0, from which a significant column is shown as warned: half of
    `drifted`, arbitrary; it decides nothing."""
    major: Annotated[float, Field(gt=0)] = 0.25
    """Corrected stability index, > 0: the field's "large" index, and the cap of a column's limit.
    Measured: without it a reference of unlike weeks hid a drift that made the loss 2.9 times as
    large. Source: as above."""
    block_factor: Factor = 1.2
    """Times what the reference's own windows reached, >= 1, for a column's own limit. Arbitrary."""
    stays: Fraction = 0.7
    """Share of the limit, in [0, 1], above which a column that was drifted still is, so that a
    verdict does not flicker. Arbitrary."""
    score_p: Fraction = 1e-3
    """Largest p-value, in [0, 1], of the score's own test. Stricter than for a column: the score
    alone can sound the alarm. Source: Rabanser et al., NeurIPS 2019, on tests of the output."""
    matters: Fraction = 0.005
    """Share of the importance, in [0, 1], above which a column's unseen categories count."""
    cause: Fraction = 0.05
    """Share of the rows, in [0, 1], from which missing, unseen or out-of-range values name the
    cause of a drift. Arbitrary; it decides nothing."""


class QualityLimits(Strict):
    """When a day's data counts as broken; a limit is raised where the reference itself broke it."""

    missing: Fraction = 0.15
    """Share of all rows, in [0, 1], missing beyond the reference's share. Measured: 3 % that became
    30 % blocked in every run, quiet days in none."""
    never_missing: Fraction = 0.08
    """The same of a column in which nothing at all was missing before, in [0, 1]. Arbitrary: half of
    `missing`; a feed that loses every tenth value exceeds it, a client that forgets it does not."""
    unseen: Fraction = 0.30
    """Share of the present values, in [0, 1], in categories that the reference never had: a rename
    exceeds it, a new category seldom does. Beyond what chance leaves unseen."""
    respelt: Fraction = 0.05
    """Share of the present values, in [0, 1], in known categories of another spelling. Arbitrary:
    clients misspell now and then."""
    renamed: Fraction = 0.05
    """Share of the present values, in [0, 1], in unseen categories from which on known ones of the
    same share that did not come were renamed. Arbitrary: as `respelt`."""
    renamed_z: Deviations = 4.0
    """Standard errors, >= 0, by which the two shares may differ. By chance 0.006 % exceed 4."""
    vanished: Fraction = 0.30
    """Share of the reference, in [0, 1], in two or more categories that did not come at all: as for
    `unseen`, from the other side."""
    relabelled: Annotated[float, Field(gt=0)] = 0.5
    """Corrected stability index, > 0, from which categories were exchanged for one another where
    their shares, sorted by size, are the old ones: twice the field's "large" index."""
    filled: Fraction = 0.15
    """Share gained by one usual value, in [0, 1], all others keeping their proportions: a default
    that was filled in. Arbitrary: as `missing`."""
    proportions: Fraction = 0.05
    """Corrected stability index, in [0, 1], up to which proportions are the old ones. Arbitrary:
    half of the field's "moderate" index."""
    out_of_range: Fraction = 0.05
    """Share of the present values, in [0, 1], a whole range beyond the reference's limits."""
    spike: Fraction = 0.10
    """Share gained by one value, in [0, 1], that the reference next to never held: a default."""
    spike_alone: Factor = 2.5
    """Times the next most frequent value, >= 1; a default in 30 % of the rows is tenfold."""
    clipped: Fraction = 0.10
    """Share, in [0, 1], of the day's smallest and largest value together, where the reference has
    values beyond them and next to none there. Arbitrary: as `spike`."""
    coarse: Factor = 10.0
    """Times fewer distinct numbers than on the poorest day of the reference, >= 1. Arbitrary:
    rounding to whole standard deviations leaves a hundredth."""
    relation: Fraction = 0.8
    """Share of a column's correlations, in [0, 1], below which it no longer moves with the others.
    Noise as wide as the column itself leaves 0.7, mixed rows 0, another sign -1."""
    relation_z: Deviations = 6.0
    """Standard errors, >= 0, by which it must be below 1, the days' own differences counted in.
    Measured: no false block in 365 quiet days at 200, 2,000 and 20,000 rows."""
    relation_days: Count = 5
    """Days, >= 1, of the reference or before, that must show how much the relations differ by."""
    stale: Fraction = 0.5
    """Share of the rows, in [0, 1], whose features came on an earlier day, beyond what is usual
    between days. Arbitrary: yesterday's rows again give 1."""
    repeated: Fraction = 0.20
    """Share of the rows, in [0, 1], that repeat another one's features: as `duplicates`, for rows
    that came again under another key."""
    repeated_days: Count = 3
    """Earlier days, >= 1, that must show how often rows come again by themselves: where the same
    customers are asked for every day, they all do."""
    constant: Fraction = 0.90
    """Share of one cell in the reference, in [0, 1], from which a constant day is no news."""
    constant_rows: Count = 100
    """Present values, >= 1, that a constant day needs: by chance 0.9 ** 100 < 0.003 %."""
    rows_low: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Times the median of the days before, in [0, 1], below which a day has too few rows."""
    rows_high: Factor = 3.0
    """Times the median of the days before, >= 1, above which a day has too many rows."""
    rows_days: Count = 5
    """Days, >= 1, that make a median of the usual number of rows."""
    rows_z: Deviations = 5.0
    """Standard errors of a count, >= 0, by which too few or too many rows must differ: of six rows
    a day, one is no outage. Source: Poisson's distribution."""
    rows_steady: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Times the usual rows, in (0, 1], below which a day has too few where the days before were
    steady; the reciprocal is too many. Arbitrary: half a feed, or one and a half, is outside."""
    rows_steady_days: Count = 7
    """Days, >= 1, that show whether the rows are steady: one of each weekday."""
    duplicates: Fraction = 0.20
    """Share of rows, in [0, 1], that repeat another's key and values. Arbitrary: clients send a
    request again now and then, and of a feed that is sent twice half repeat."""
    baseline_factor: Factor = 2.0
    """Times what the reference's own days did, >= 1, to which a limit is raised: four weeks of days
    do not contain the worst storm of a year."""
    accepted: Fraction = 0.15
    """Change of a fault's value, in [0, 1], up to which it is the one that a person accepted.
    Arbitrary: as `missing`."""
    unit_factor: Factor = 3.0
    """Factor, >= 1, from which on any rescaling may be another unit; below it, known units only."""
    unit_fit: Fraction = 0.10
    """Largest distance of a rescaled quantile from its share, in [0, 1], for the old shape."""
    unit_misfit: Fraction = 0.20
    """Distance of an unscaled quantile from its share, in [0, 1], from which something happened."""
