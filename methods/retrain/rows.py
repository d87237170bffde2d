"""The rows of a retraining: all labelled ones in time, and the steps by which it is judged."""

from dataclasses import dataclass, replace

import numpy as np

from methods.models.dataset import Dataset
from methods.retrain.forward import Forward
from methods.retrain.thresholds import RetrainLimits
from methods.split.event_times import MICROSECONDS, microseconds
from methods.split.folds import Rows
from methods.split.judged import DAY, RefitStep, Times, steps


@dataclass(frozen=True)
class RetrainRows:
    """The prepared rows of a time-ordered problem, and which of them judge."""

    dataset: Dataset
    times: Times
    """Of all prepared rows, microseconds since 1970."""
    labelled: Rows
    """Positions of the rows that the model which ships may learn."""
    steps: tuple[RefitStep, ...]
    """Of the judged rows, oldest first."""
    onset: int | None
    """The first moment of a change, microseconds since 1970; None: none is known."""
    known_rows: int = 1
    """Rows since the onset from which on a refit could know of the change."""

    @property
    def judged(self) -> Rows:
        """Return the positions of the judged rows in the order of the steps."""
        return np.concatenate([step.score for step in self.steps])

    def knows_change(self, step: RefitStep) -> bool:
        """Say whether a refit before this step has enough rows since the onset of the change."""
        if self.onset is None:
            return True
        return int((self.times[step.train] >= self.onset).sum()) >= self.known_rows

    @property
    def informed(self) -> Rows:
        """Return the judged rows whose refits could know of the change; all where none could."""
        known = [step.score for step in self.steps if self.knows_change(step)]
        return np.concatenate(known) if known else self.judged


def retrain_rows(
    dataset: Dataset, judged: Rows, gap_seconds: float, onset: int | None, limits: RetrainLimits
) -> RetrainRows:
    """Return the rows of a retraining that `judged` rows judge, by the dataset's event time.

    A step begins with a day; a row that is not labelled takes no part.
    """
    event_time = dataset.schema.event_time
    assert event_time is not None  # a split by time has one
    times = microseconds(dataset.table[event_time])
    labelled = np.flatnonzero(dataset.labelled)
    of_labelled = np.searchsorted(labelled, judged)
    cut = steps(times[labelled], of_labelled, int(gap_seconds * MICROSECONDS), limits)
    moved = tuple(RefitStep(labelled[one.train], labelled[one.score], one.begins) for one in cut)
    return RetrainRows(dataset, times, labelled, moved, onset, limits.adjust_rows)


def judge_informed(data: RetrainRows, forward: Forward, limits: RetrainLimits) -> Forward:
    """Keep the rows whose refits could know of the change, where these are enough to judge.

    What a refit scored before it had a row of the new world says what the old one was worth.
    """
    informed = data.informed
    days = len(np.unique(data.times[informed] // DAY))
    if days < limits.judged_days or len(informed) < limits.judged_rows:
        return forward
    kept = np.isin(forward.rows, informed)
    return replace(
        forward,
        rows=forward.rows[kept],
        step=forward.step[kept],
        predicted=forward.predicted[kept],
        threshold=forward.threshold[kept],
    )
