"""The rows of a retraining: all labelled ones in time, and the steps by which it is judged."""

from dataclasses import dataclass

import numpy as np

from methods.models.dataset import Dataset
from methods.retrain.limits import RetrainLimits
from methods.split.folds import Rows
from methods.split.judged import MICROSECONDS, Step, Times, steps
from methods.split.parts import microseconds


@dataclass(frozen=True)
class RetrainRows:
    """The prepared rows of a time-ordered problem, and which of them judge."""

    dataset: Dataset
    times: Times
    """Of all prepared rows, microseconds since 1970."""
    labelled: Rows
    """Positions of the rows that the model which ships may learn."""
    steps: tuple[Step, ...]
    """Of the judged rows, oldest first."""
    onset: int | None
    """The first moment of a change, microseconds since 1970; None: none is known."""

    @property
    def judged(self) -> Rows:
        """Return the positions of the judged rows in the order of the steps."""
        return np.concatenate([step.score for step in self.steps])

    def knows_change(self, step: Step) -> bool:
        """Say whether a refit before this step has a row since the onset of the change."""
        return self.onset is None or bool((self.times[step.train] >= self.onset).any())

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
    moved = tuple(Step(labelled[one.train], labelled[one.score], one.begins) for one in cut)
    return RetrainRows(dataset, times, labelled, moved, onset)
