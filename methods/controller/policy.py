"""Every threshold that the retrain controller decides by, as one frozen value.

`Policy()` is what the product decides by; it is made in one place (`tasks.monitoring.task`) and
passed on as an argument, so that a rehearsal can vary it. What a problem file sets (`monitoring`,
`retraining`) is not repeated here and is passed on beside it. `docs/policy.md` is made from these
models.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from contract.strict import Strict
from methods.controller.alert_limits import AlertLimits
from methods.drift.limits import Count, DriftLimits, Factor, Fraction, QualityLimits
from methods.retrain.thresholds import RetrainLimits

StandardErrors = Annotated[float, Field(ge=0)]
Span = Annotated[timedelta, Field(gt=timedelta(0))]


class Policy(Strict):
    """The thresholds of the retrain controller."""

    # With labels: is the model worse, would a new one be better?
    loss_worse: Fraction = 0.05
    """Share of the baseline's loss, in [0, 1], by which the loss must have risen for a retraining.
    Measured on 13 time-ordered sets: with `forward_z` it retrained in 15 % of the windows and
    closed 74 % of the gap between never and always retraining."""
    forward_z: StandardErrors = 3.0
    """Joint standard errors, >= 0, with days as blocks, that a rise above a forward baseline must
    have. Every day is a look: measured in a year that stands still, 200 rows a day, together with
    `loss_worse`: 1.8 alarms a year at 2, 0.8 at 2.5, 0.2 at 3; 4.5 where rows count as independent
    and 2 is the limit. (Decision 47.)"""
    held_out_z: StandardErrors = 4.0
    """The same, >= 0, above a random hold-out, which flatters the model: with equal limits it
    started 2.7 times as many retrainings as above a forward baseline."""
    min_blocks: Count = 8
    """Days of the baseline, >= 1, from which on they alone say how far days lie apart; with fewer
    the days under test are asked as well. Arbitrary."""
    onset_z: StandardErrors = 3.0
    """Standard errors, >= 0, by which the days since a change must lie above the baseline for the
    change to have a first day: as for `forward_z`."""
    probe_gain: Fraction = 0.02
    """Share of the champion's loss, in [0, 1], that a quick refit must save for a retraining.
    Measured on the same sets, with `probe_z`: 28 % of the windows, 92 % of the gap, the best single
    signal. Source: Regol et al., ICML 2025."""
    probe_z: StandardErrors = 2.75
    """Standard errors, >= 0, that the refit's saving must have, row by row in pairs and with days
    as blocks: 52 looks a year, of which 0.3 % pass by chance."""
    harmless_loss: Fraction = 0.02
    """Share of the baseline's loss, in [0, 1], up to which a drift is measured harmless.
    Source: Podkopaev and Ramdas, ICLR 2022: only harmful shift asks for an answer."""
    harmless_gain: Fraction = 0.01
    """Share of the champion's loss, in [0, 1], below which a refit's saving shows no harm: half of
    `probe_gain`, arbitrary."""
    min_labelled_rows: Count = 500
    """Labelled rows, >= 1, that a loss needs; days are added backwards until there are so many.
    Arbitrary."""
    min_labelled_of_class: Count = 50
    """Labelled rows of the rarer class of a binary problem, >= 1, that a loss needs. Arbitrary."""
    label_days: Count = 28
    """Days, >= 1, whose labels are pooled at most, from the newest day whose labels are complete:
    older ones are about another world."""
    longest_label_days: Count = 400
    """Days, >= 1, after an event that its label is waited for at most: a year's return or claim,
    and a month."""
    mature_share: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of a day's final labels, in (0, 1], from which on the day counts as complete.
    Arbitrary: the first labels are seldom like the last, and the last 30 % may take as long again."""
    label_window: Count = 3
    """Days, >= 1, in whose labels it is seen that no more come: a weekend is shorter. Arbitrary."""
    label_stop_share: Fraction = 0.1
    """Share of the expected labels of those days, in [0, 1], below which labels have stopped.
    Arbitrary: a late file is half of them, a broken join none."""
    label_stop_rows: Count = 30
    """Labels, >= 1, that must have been expected: of 30 fewer than 3 come by chance never (Poisson,
    1e-10)."""
    label_patience: Span = timedelta(days=14)
    """Duration, > 0, after a model's first labels are complete in which its age starts nothing: two
    verdict windows, so that its loss is measured first."""
    label_faults: Fraction = 0.05
    """Share of a window's labels, in [0, 1], that may contradict one another or be of an unknown
    class before no loss is measured by them. Arbitrary: at 5 % the loss moves by `loss_worse`."""
    label_min_coverage: Fraction = 0.2
    """Share of the rows of complete days, in [0, 1], below which the page says that the labelled rows
    may not be like the others. Arbitrary."""
    interval_z: Annotated[float, Field(gt=0)] = 1.96
    """Standard errors on either side of a measured loss, > 0: 95 % of a normal distribution."""
    probe_rows: Count = 50_000
    """Rows, >= 1, that a quick refit learns from at most: seconds of CPU, not minutes."""
    probe_block_rows: Count = 200
    """Labelled rows of the newest block, >= 1, that a quick refit is compared on. Arbitrary."""

    segment_columns: Count = 5
    """Columns of categories, >= 1, by importance, in which the loss is looked at. Arbitrary."""
    segment_levels: Count = 20
    """Categories of a column, >= 1, by their rows. Arbitrary."""
    segment_rows: Count = 100
    """Labelled rows, >= 1, that a category needs. Arbitrary."""
    segments_shown: Count = 10
    """Categories, >= 1, that a decision keeps, the worst first. Arbitrary."""

    # Without labels: did the world change in what matters to the model?
    impact: Fraction = 0.30
    """Importance of the drifted columns together, in [0, 1], from which they sound the alarm.
    Measured: at 0.5 the drifted columns alone closed 46 % of the gap."""
    unseen: Fraction = 0.05
    """Share of unseen categories in a column that matters, in [0, 1], that sounds the alarm."""
    classifier_auc: Annotated[float, Field(ge=0.5, le=1)] = 0.55
    """Area under the curve, in [0.5, 1], from which a classifier can tell the rows from the
    reference's. Source: Lopez-Paz and Oquab, ICLR 2017."""
    classifier_null: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    """Area above 0.5 that chance reaches at 500 rows, in [0, 0.5]: measured, the 99 % quantile; it
    falls with the root of the rows."""
    classifier_rows: Count = 10_000
    """Rows of either side, >= 1, that the classifier sees at most: a second of CPU."""
    classifier_min_rows: Count = 200
    """Rows of either side, >= 1, that the classifier needs. Arbitrary."""
    alarm_windows: Count = 2
    """Verdict windows before this one, >= 1, one of which must have sounded the alarm as well.
    Measured: confirmed in two of three windows there was no false alarm in 168 quiet days."""

    # Windows
    min_window_rows: Count = 500
    """Served rows, >= 1, that a verdict needs; with fewer the stability index is mostly noise."""
    longest_window_days: Count = 28
    """Days, >= 1, to which a window with too few rows is extended backwards: four weeks, since
    older rows are about another world."""
    usual_rows_days: Count = 28
    """Days, >= 1, whose median is the usual number of rows a day: four of each weekday."""
    catch_up_days: Count = 56
    """Days, >= 1, before a run's end that it looks at; an older day without a record gets one that
    says so. Arbitrary: it bounds what one run reads."""

    # What holds a retraining back
    longest_cooldown: Span = timedelta(days=28)
    """Duration, > 0, to which refusals in a row lengthen the cool-down at most. Arbitrary: a month
    without a retraining is seen by a person."""
    cooldown_factor: Factor = 1.0
    """Times, >= 1, that each challenger refused in a row lengthens the cool-down. 1: what does not
    help is stopped by the circuit breaker, and what was refused for too few days of a new world
    heals a week later, not after two and then four."""
    retrain_period: Span = timedelta(days=30)
    """Duration, > 0, in which `retraining.max_per_30d` retrainings are allowed; the key of the
    problem file names it."""
    lease: Span = timedelta(days=2)
    """Duration, > 0, of the run's own time after which a retraining that was asked for and left no
    entry in the ledger counts as lost: a run has a day, and a person's answer another."""
    breaker_retrains: Count = 3
    """Retrains in a row, >= 1, that did not help, after which monitoring asks for none until a
    person runs one, or the loss is clearly above that of the last one. Arbitrary."""
    helped_z: StandardErrors = 1.64
    """Standard errors, >= 0, that a promotion's saving must have to count as help: by chance 5 % of
    useless ones reach it."""
    search_every: Count = 4
    """Retrainings, >= 1, of which one searches and the others replay the champion's plan.
    Arbitrary: about one search a month of retrainings at their limit."""
    release_days: Count = 2
    """Days in a row, >= 1, that must be in limits before anything is retrained after a block: a
    feed that was mended halfway is broken again on the next day."""
    drifting_age_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of `retraining.max_age`, in (0, 1], that is allowed while drift is seen without labels.
    Measured: unlabelled signals alone never saw a concept drift behind calendar columns."""
    same_regime: Annotated[float, Field(ge=0)] = 0.10
    """Corrected stability index, >= 0, below which a window is of the same world as the one whose
    challenger was refused: the field's "moderate" index."""
    same_regime_z: StandardErrors = 2.0
    """Joint standard errors, >= 0, by which the loss must exceed that world's to be asked again:
    as for `forward_z`."""

    drift: DriftLimits = DriftLimits()
    """When a column counts as drifted."""
    quality: QualityLimits = QualityLimits()
    """When a day's data counts as broken."""
    retrain: RetrainLimits = RetrainLimits()
    """How a retraining is made and judged."""
    alerts: AlertLimits = AlertLimits()
    """When the owner is told, and how often."""

    def thresholds(self) -> dict[str, float]:
        """Return those that a decision document states."""
        return {
            "loss_worse": self.loss_worse,
            "probe_gain": self.probe_gain,
            "probe_z": self.probe_z,
            "harmless_loss": self.harmless_loss,
            "harmless_gain": self.harmless_gain,
            "impact": self.impact,
            "unseen": self.unseen,
            "same_regime": self.same_regime,
        }
