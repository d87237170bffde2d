"""Is a canary as good as the champion beside it? Judged by what both answered in the same time.

At every look errors alone, at a level that many looks do not use up; at the end of a step all four
questions: errors, refused rows, latency, scores. A share of answers is compared by Fisher's exact
test, since Pearson's takes one error of a small canary for proof; a new model's scores should differ
somewhat, so they must differ beyond chance and by much.

Sources: Fisher, "The Logic of Inductive Inference", JRSS 98(1), 1935; for the stability index see
`methods.drift.divergence`.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
from pydantic import NonNegativeInt

from bundle.arrays import Floats
from contract.serving_state import Tally
from contract.strict import Strict
from methods.drift.divergence import group, pool, stability_index, two_sample_p
from tasks.deployment.counting import answers

LOOK = 1e-4  # of a false alarm: a step of ten minutes has a hundred looks
END = 0.01  # of a false alarm at the end of a step, for each question
ALONE = 0.05  # errors that are too many even where the champion answers nothing to compare with
FEWEST = 100  # answers, or scores of each, below which a quantile or a distribution says nothing
# Arbitrary: twice what the field calls a major shift, since a new model is meant to differ.
MOST_SHIFT = 0.5
PERCENTILE = 0.99
SERVER_ERROR = 500
UNFIT = 422
GROUPS = 10


class Step(Strict):
    """What a step of a canary showed."""

    share: float
    """Of the pods, or of the requests where a route parts them."""
    answers: NonNegativeInt
    """The canary's, since its first pod; the other counts as well."""
    errors: NonNegativeInt
    refused: NonNegativeInt
    """Answers 422: rows that do not fit the model's contract."""
    champion_answers: NonNegativeInt
    """In the same time."""
    champion_errors: NonNegativeInt
    champion_refused: NonNegativeInt
    latency_p99: float | None
    """Seconds in the service; None: too few answers."""
    champion_latency_p99: float | None
    stability_index: float | None
    """Of the scores against the champion's, bias-corrected; None: too few scores."""
    agreement: float | None = None
    """Share of the bake rows that both models decide alike; None: there were none."""

    @property
    def sentence(self) -> str:
        """The step in words."""
        told = f"{self.answers:,} answers, {self.errors} errors"
        told += f" (champion {self.champion_errors} of {self.champion_answers:,})"
        if self.latency_p99 is not None:
            told += f", 99 of 100 within {1000 * self.latency_p99:.2g} ms"
        if self.stability_index is not None:
            told += f", stability index of the scores {self.stability_index:.2g}"
        return told


def compare(canary: Tally, champion: Tally, share: float) -> Step:
    """Return the figures of both."""
    return Step(
        share=share,
        answers=answers(canary),
        errors=errors(canary),
        refused=canary.statuses.get(UNFIT, 0),
        champion_answers=answers(champion),
        champion_errors=errors(champion),
        champion_refused=champion.statuses.get(UNFIT, 0),
        latency_p99=quantile(canary, PERCENTILE),
        champion_latency_p99=quantile(champion, PERCENTILE),
        stability_index=shift(canary, champion)[0],
    )


def fault_at_a_look(step: Step) -> str | None:
    """Return in one sentence why the canary must end now; None: it need not."""
    return _more_errors(step, LOOK)


def fault_at_the_end(step: Step, canary: Tally, champion: Tally, limit: float) -> str | None:
    """Return in one sentence why the canary must go no further; `limit` of latency in seconds."""
    questions: tuple[Callable[[], str | None], ...] = (
        lambda: _more_errors(step, END),
        lambda: _more_refused(step),
        lambda: _slow(step, limit),
        lambda: _shifted(canary, champion),
    )
    return next((fault for question in questions if (fault := question())), None)


def errors(tally: Tally) -> int:
    """Return how many answers were the service's own failure."""
    return sum(count for status, count in tally.statuses.items() if status >= SERVER_ERROR)


def more_often(bad: int, number: int, bad_before: int, before: int) -> float:
    """Return the chance of at least `bad` of `number` if both are alike (Fisher, one-sided).

    >>> round(more_often(3, 4, 1, 4), 6), more_often(0, 10, 3, 10), round(more_often(1, 1, 0, 9), 6)
    (0.242857, 1.0, 0.1)
    """
    if not number or not before:
        return 1.0
    all_bad, both = bad + bad_before, number + before

    def chance(count: int) -> float:
        logarithm = (
            _choose(all_bad, count)
            + _choose(both - all_bad, number - count)
            - _choose(both, number)
        )
        return math.exp(logarithm)

    most = min(all_bad, number)
    if bad <= max(0, number - (both - all_bad)):
        return 1.0
    return min(1.0, math.fsum(_until_negligible(chance, bad, most)))


def quantile(tally: Tally, share: float) -> float | None:
    """Return a quantile of the seconds, straight within its bucket; None: too few answers."""
    total = sum(tally.seconds)
    if total < FEWEST:
        return None
    below, rank = 0, share * total
    low = 0.0
    for high, count in zip(tally.edges, tally.seconds, strict=False):
        if below + count >= rank:
            return low + (high - low) * (rank - below) / count if count else low
        below, low = below + count, high
    return low  # in the open bucket: at least its edge


def shift(canary: Tally, champion: Tally) -> tuple[float | None, float]:
    """Return the stability index of the scores and the chance that they share one distribution.

    None and 1 where either has too few.
    """
    if min(sum(canary.scores.values()), sum(champion.scores.values())) < FEWEST:
        return None, 1.0
    cells = sorted({*canary.scores, *champion.scores})
    reference = np.array([champion.scores.get(cell, 0) for cell in cells])
    current = np.array([canary.scores.get(cell, 0) for cell in cells])
    numbers = group(reference) if len(cells) > GROUPS else np.arange(len(cells))
    one, two = pool(_sums(numbers, reference), _sums(numbers, current))
    return stability_index(one, two)[1], two_sample_p(one, two)


def _more_errors(step: Step, level: float) -> str | None:
    alone = not step.champion_answers and step.answers >= FEWEST
    if alone and step.errors > ALONE * step.answers:
        return (
            f"The canary failed {step.errors} of {step.answers:,} requests; at most "
            f"{100 * ALONE:g}% are allowed where the champion answered none to compare with."
        )
    chance = more_often(step.errors, step.answers, step.champion_errors, step.champion_answers)
    if chance >= level:
        return None
    return (
        f"The canary failed {step.errors} of {step.answers:,} requests and the champion "
        f"{step.champion_errors} of {step.champion_answers:,} in the same time; that much more "
        f"comes by chance once in {1 / max(chance, 1e-12):,.0f} times."
    )


def _more_refused(step: Step) -> str | None:
    chance = more_often(step.refused, step.answers, step.champion_refused, step.champion_answers)
    if chance >= END:
        return None
    return (
        f"The canary refused {step.refused} of {step.answers:,} requests as not fitting its "
        f"contract (422), the champion {step.champion_refused} of {step.champion_answers:,}; "
        "clients send what the new model does not take."
    )


def _slow(step: Step, limit: float) -> str | None:
    found, before = step.latency_p99, step.champion_latency_p99
    # Where the champion is as slow, it is the machine and not the model.
    if found is None or found <= limit or (before is not None and before >= found):
        return None
    beside = "" if before is None else f", the champion's {1000 * before:.3g} ms"
    return (
        f"99 of 100 answers of the canary take up to {1000 * found:.3g} ms{beside}; at most "
        f"{1000 * limit:g} ms are allowed by gates.latency_p99."
    )


def _shifted(canary: Tally, champion: Tally) -> str | None:
    index, chance = shift(canary, champion)
    if index is None or index <= MOST_SHIFT or chance >= END:
        return None
    return (
        f"The canary's scores lie elsewhere than the champion's: their stability index is "
        f"{index:.3g}, at most {MOST_SHIFT:g} is expected of a model that answers the same "
        "question; where that is meant, roll out without a canary."
    )


def _sums(numbers: np.ndarray, counts: np.ndarray) -> Floats:
    return np.bincount(numbers, weights=counts).astype(np.float64)


def _choose(number: int, count: int) -> float:
    """Return the logarithm of the binomial coefficient; -inf outside of it."""
    if not 0 <= count <= number:
        return -math.inf
    return math.lgamma(number + 1) - math.lgamma(count + 1) - math.lgamma(number - count + 1)


def _until_negligible(chance: Callable[[int], float], low: int, high: int) -> Iterator[float]:
    """Yield the chances of the counts from `low` on; behind the mode they fall, and soon to nothing."""
    before = 0.0
    for count in range(low, high + 1):
        found = chance(count)
        yield found
        if found < before and found < 1e-18:  # noqa: PLR2004 - of 1; a float's own grain
            return
        before = found
