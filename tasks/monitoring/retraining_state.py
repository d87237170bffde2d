"""What may hold a retraining back, as of the end of a day."""

from datetime import date, timedelta

from methods.controller.attempts import is_replay_next, useless_in_a_row
from methods.controller.due import is_superseded
from methods.controller.evidence import RetrainingState
from methods.controller.losses import level_of
from tasks.monitoring.context import MonitoringContext


def retraining_state(
    context: MonitoringContext, day: date, in_flight: str | None = None
) -> RetrainingState:
    """Return it; `in_flight` is the key of another retraining that has not ended."""
    rules, history, policy = context.problem.retraining, context.history, context.policy
    end, since = context.calendar.end(day), context.since[context.models[day].digest]
    useless = useless_in_a_row(history, end)
    return RetrainingState(
        mode=rules.mode,
        cooldown_until=history.cooldown_until(end, rules.cooldown, policy),
        retrains=history.retrains(end, policy),
        max_retrains=rules.max_per_30d,
        new_labels=None if context.labels is None else context.labels.new_between(since, end),
        min_new_labels=_min_new_labels(context, day),
        age=max(timedelta(0), end - since),
        max_age=rules.max_age,
        age_with_labels=rules.age_with_labels,
        blocked_before=history.is_blocked_before(day, policy),
        in_flight=in_flight,
        is_superseded=is_superseded(history, day, context.until),
        useless=len(useless),
        useless_loss=level_of(useless[0]) if useless else None,
        replay=is_replay_next(history, end, policy),
    )


def _min_new_labels(context: MonitoringContext, day: date) -> int:
    minimum = context.problem.retraining.min_new_labels
    return max(minimum.rows, round(minimum.share * context.models[day].model.card.rows))
