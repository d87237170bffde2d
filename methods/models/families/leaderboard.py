"""The leaderboard: the result of selection, from which tuning starts."""

from contract.strict import Strict
from methods.models.bootstrap import Gain
from methods.models.families.family import Setting


class Difference(Strict):
    """A paired difference on the same rows, in the metric's unit; positive favours the entry."""

    value: float
    low: float
    high: float
    probability: float
    """That the entry is better."""

    @classmethod
    def of(cls, gain: Gain) -> "Difference | None":
        """Return the gain as a document holds it; None where it could not be measured."""
        numbers = (gain.value, gain.low, gain.high)
        if any(number != number for number in numbers):  # noqa: PLR0124 - NaN alone is unlike itself
            return None
        return cls(value=gain.value, low=gain.low, high=gain.high, probability=gain.probability)


class LeaderboardEntry(Strict):
    """One candidate."""

    family: str
    settings: dict[str, Setting]
    score: float | None
    """In the metric's unit, over all scored rows; None where it could not be fitted or scored."""
    seconds: float
    """CPU time of fitting and predicting, all pairs together."""
    iterations: int
    to_best: Difference | None
    to_dummy: Difference | None
    failure: str | None = None
    """Why the candidate has no score."""


class Leaderboard(Strict):
    """All candidates on the same rows, the best first."""

    metric: str
    forward: bool
    """True: each model was scored on rows later than its training rows."""
    pairs: int
    """Of training and test rows."""
    learn_rows: int
    """Of the largest pair."""
    score_rows: int
    """Of all pairs together."""
    budget_seconds: float
    """Of selection and tuning together, in CPU time."""
    spent_seconds: float
    entries: tuple[LeaderboardEntry, ...]
