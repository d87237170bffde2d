"""Is a canary as good as the champion beside it? Judged by what both answered in the same time.

At every interim look errors alone, at a level that many looks do not use up; at the end of a step
all four: errors, refused rows, latency, scores. A share of answers is compared by Fisher's exact
test, since Pearson's takes one error of a small canary for proof; a new model's scores should differ
somewhat, so they fail only where they differ beyond chance and by much.

Sources: Fisher, "The Logic of Inductive Inference", JRSS 98(1), 1935; for the stability index see
`methods.drift.divergence`.
"""

from collections.abc import Callable

import numpy as np
from pydantic import NonNegativeInt

from bundle.arrays import Floats
from contract.serving_state import Tally
from contract.strict import Strict
from methods.drift.divergence import group, pool, stability_index, two_sample_p
from tasks.deployment.canary.counts import answers

ALPHA_INTERIM = 1e-4  # chance of a false alarm at a look: a step of ten minutes has a hundred
ALPHA_FINAL = 0.01  # chance of a false alarm at the end of a step, for each test
MAX_ERROR_RATE = 0.05  # too many even where the champion answers nothing to compare with
MIN_SAMPLES = 100  # answers, or scores of each: fewer give no quantile and no distribution
# Arbitrary: twice what the field calls a major shift, since a new model is meant to differ.
MAX_PSI = 0.5
PERCENTILE = 0.99
SERVER_ERROR = 500
UNPROCESSABLE = 422
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
        """The step as a person reads it."""
        text = f"{self.answers:,} answers, {self.errors} errors"
        text += f" (champion {self.champion_errors} of {self.champion_answers:,})"
        if self.latency_p99 is not None:
            text += f", 99 of 100 within {1000 * self.latency_p99:.2g} ms"
        if self.stability_index is not None:
            text += f", stability index of the scores {self.stability_index:.2g}"
        return text


def compare_tallies(canary: Tally, champion: Tally, share: float) -> Step:
    """Return the figures of both."""
    return Step(
        share=share,
        answers=answers(canary),
        errors=errors(canary),
        refused=canary.statuses.get(UNPROCESSABLE, 0),
        champion_answers=answers(champion),
        champion_errors=errors(champion),
        champion_refused=champion.statuses.get(UNPROCESSABLE, 0),
        latency_p99=quantile(canary, PERCENTILE),
        champion_latency_p99=quantile(champion, PERCENTILE),
        stability_index=shift(canary, champion)[0],
    )


def interim_failure(step: Step) -> str | None:
    """Return in one sentence why the canary must end now; None: it need not."""
    return _more_errors(step, ALPHA_INTERIM)


def final_failure(step: Step, canary: Tally, champion: Tally, limit: float) -> str | None:
    """Return in one sentence why the canary must go no further; `limit` of latency in seconds."""
    tests: tuple[Callable[[], str | None], ...] = (
        lambda: _more_errors(step, ALPHA_FINAL),
        lambda: _more_refused(step),
        lambda: _slow(step, limit),
        lambda: _shifted(canary, champion),
    )
    return next((failure for test in tests if (failure := test())), None)


def errors(tally: Tally) -> int:
    """Return how many answers were the service's own failure."""
    return sum(count for status, count in tally.statuses.items() if status >= SERVER_ERROR)


def fisher_one_sided(bad: int, number: int, bad_before: int, before: int) -> float:
    """Return the chance of at least `bad` of `number` if both are alike (Fisher, one-sided).

    >>> round(fisher_one_sided(3, 4, 1, 4), 6), fisher_one_sided(0, 10, 3, 10)
    (0.242857, 1.0)
    """
    from scipy.stats import hypergeom  # noqa: PLC0415 - a rollout without a canary does not pay for it

    if not number or not before:
        return 1.0
    tail = hypergeom.sf(bad - 1, number + before, bad + bad_before, number)
    return min(1.0, float(tail))


def quantile(tally: Tally, share: float) -> float | None:
    """Return a quantile of the seconds, straight within its bucket; None: too few answers."""
    total = sum(tally.seconds)
    if total < MIN_SAMPLES:
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
    if min(sum(canary.scores.values()), sum(champion.scores.values())) < MIN_SAMPLES:
        return None, 1.0
    cells = sorted({*canary.scores, *champion.scores})
    reference = np.array([champion.scores.get(cell, 0) for cell in cells])
    current = np.array([canary.scores.get(cell, 0) for cell in cells])
    numbers = group(reference) if len(cells) > GROUPS else np.arange(len(cells))
    one, two = pool(_sums(numbers, reference), _sums(numbers, current))
    return stability_index(one, two)[1], two_sample_p(one, two)


def _more_errors(step: Step, level: float) -> str | None:
    is_alone = not step.champion_answers and step.answers >= MIN_SAMPLES
    if is_alone and step.errors > MAX_ERROR_RATE * step.answers:
        return (
            f"The canary failed {step.errors} of {step.answers:,} requests; at most "
            f"{100 * MAX_ERROR_RATE:g}% are allowed where the champion answered none to compare with."
        )
    chance = fisher_one_sided(
        step.errors, step.answers, step.champion_errors, step.champion_answers
    )
    if chance >= level:
        return None
    return (
        f"The canary failed {step.errors} of {step.answers:,} requests and the champion "
        f"{step.champion_errors} of {step.champion_answers:,} in the same time; that much more "
        f"comes by chance once in {1 / max(chance, 1e-12):,.0f} times."
    )


def _more_refused(step: Step) -> str | None:
    chance = fisher_one_sided(
        step.refused, step.answers, step.champion_refused, step.champion_answers
    )
    if chance >= ALPHA_FINAL:
        return None
    return (
        f"The canary refused {step.refused} of {step.answers:,} requests as not fitting its "
        f"contract (422), the champion {step.champion_refused} of {step.champion_answers:,}; "
        "clients send what the new model does not take."
    )


def _slow(step: Step, limit: float) -> str | None:
    latency, champion = step.latency_p99, step.champion_latency_p99
    # Where the champion is as slow, it is the machine and not the model.
    if latency is None or latency <= limit or (champion is not None and champion >= latency):
        return None
    beside = "" if champion is None else f", the champion's {1000 * champion:.3g} ms"
    return (
        f"99 of 100 answers of the canary take up to {1000 * latency:.3g} ms{beside}; at most "
        f"{1000 * limit:g} ms are allowed by gates.latency_p99."
    )


def _shifted(canary: Tally, champion: Tally) -> str | None:
    index, chance = shift(canary, champion)
    if index is None or index <= MAX_PSI or chance >= ALPHA_FINAL:
        return None
    return (
        f"The canary's scores lie elsewhere than the champion's: their stability index is "
        f"{index:.3g}, at most {MAX_PSI:g} is expected of a model that answers the same "
        "question; where that is meant, roll out without a canary."
    )


def _sums(numbers: np.ndarray, counts: np.ndarray) -> Floats:
    return np.bincount(numbers, weights=counts).astype(np.float64)
