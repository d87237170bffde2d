"""Did the newest promotion help? Both models on the same rows, served on the days after it.

The model before scores the served rows once more, so that a world that grew easier or harder by
itself counts for neither. Measured until a whole verdict window has labels, and then kept.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from contract.performance import DayLoss, Effect
from contract.problem.metric import Value
from methods.controller.history import Promotion
from methods.controller.losses import day_variance, error_of, mean_of, paired_z
from methods.controller.policy import Policy
from methods.controller.sentences import effect_sentence
from methods.models.metrics import row_losses
from methods.models.yardstick import decision_values
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.performance import LabelledDay
from tasks.monitoring.window import labelled_days, verdict_days


def measure_effect(context: MonitoringContext, day: date) -> tuple[Effect | None, tuple[str, ...]]:
    """Return what the newest promotion did, as of `day`, and a note where it cannot be known."""
    model, end = context.models[day], context.calendar.end(day)
    promotion = context.history.promotion(end)
    if promotion is None or promotion.digest != model.digest or context.labels is None:
        return None, ()
    known = context.history.effect_of(model.digest, end)
    if known is not None and known.promoted == promotion.at and known.is_final:
        return known, ()
    former = context.former(promotion.previous)
    if former is None:
        return None, (
            "The model before is no longer kept, so what the promotion did is not known.",
        )
    first = context.calendar.day_of(promotion.at)
    after = [each for each in labelled_days(context, day) if each[0].day >= first]
    length = verdict_days(context.problem)
    value = context.problem.metric.value
    return compare_on(
        model, former, promotion, after[::-1], length=length, policy=context.policy, value=value
    ), ()


def compare_on(
    model: MonitoredModel,
    former: MonitoredModel,
    promotion: Promotion,
    days: Sequence[LabelledDay],
    *,
    length: int,
    policy: Policy,
    value: Value | None = None,
) -> Effect | None:
    """Return both models' losses, and what was earned; None where too few rows have a label.

    Args:
        model: who answered all of `days`.
        former: who served before.
        promotion: when one took the other's place.
        days: since then, oldest first; the first `length` with labels count.
        length: days after which the answer stands.
        policy: how many rows are needed, and when a saving is sure.
        value: what decisions are worth; each model decides by its own threshold.
    """
    befores: list[DayLoss] = []
    afters: list[DayLoss] = []
    saved: list[DayLoss] = []
    gained: list[DayLoss] = []
    for served, labels in days:
        truth = model.truth(labels)[served.sampled]
        known = ~np.isnan(truth)
        if not known.any() or len(saved) >= length:
            continue
        task = model.contract.task
        rows = served.sample.filter(pa.array(known))
        scores = former.model.scores(former.model.encoder.batch(rows))
        before = row_losses(task, truth[known], scores)
        answered = served.lines.scores[served.sampled][known]
        after = row_losses(task, truth[known], answered)
        if value is not None and task == "binary":
            worth = [
                decision_values(value.outcomes, truth[known], given, _threshold(each))
                for each, given in ((former, scores), (model, answered))
            ]
            gained.append(_summary(served.day, worth[1] - worth[0]))
        befores.append(_summary(served.day, before))
        afters.append(_summary(served.day, after))
        saved.append(_summary(served.day, before - after))
    rows_compared = sum(each.rows for each in saved)
    if rows_compared < policy.probe_block_rows:
        return None
    z = paired_z(saved)
    effect = Effect(
        digest=promotion.digest,
        previous=promotion.previous,
        promoted=promotion.at,
        first=saved[0].day,
        last=saved[-1].day,
        rows=rows_compared,
        metric="squared_error" if model.contract.task == "regression" else "log_loss",
        before=_rounded(mean_of(befores)),
        after=_rounded(mean_of(afters)),
        z=round(z, 3),
        # By the yardstick too: another threshold changes no loss, and may be worth a lot.
        helped=max(z, paired_z(gained) if gained else z) >= policy.helped_z,
        is_final=len(saved) >= length,
        sentence="",
    )
    if value is not None and gained:
        effect = effect.model_copy(update=_earned(gained, policy, value.unit))
    return effect.model_copy(update={"sentence": effect_sentence(effect)})


def _earned(gained: Sequence[DayLoss], policy: Policy, unit: str) -> dict[str, object]:
    """Return the fields of what a decision was worth more; days are the blocks."""
    mean, error = mean_of(gained), error_of(gained, day_variance(gained))
    return {
        "earned": _rounded(mean),
        "earned_low": _rounded(mean - policy.interval_z * error),
        "earned_high": _rounded(mean + policy.interval_z * error),
        "unit": unit,
    }


def _threshold(model: MonitoredModel) -> float:
    threshold = model.model.document.threshold
    assert threshold is not None  # the reader refuses a binary model without one
    return threshold


def _summary(day: date, losses: Floats) -> DayLoss:
    return DayLoss(
        day=day, rows=len(losses), mean=float(losses.mean()), deviation=float(losses.std())
    )


def _rounded(value: float) -> float:
    """Round to five significant digits, as a decision document states losses."""
    return float(f"{value:.5g}")
