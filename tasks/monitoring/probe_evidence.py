"""The newest probe of a day's verdict window: an earlier day's, or one that is tried now."""

from datetime import date

from contract.performance import Performance, Probe
from methods.controller.days import ONE_DAY
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.loss_evidence import onset_of
from tasks.monitoring.retraining_state import retraining_state
from tasks.monitoring.window import labelled_days, verdict_days


def newest_probe(
    context: MonitoringContext, day: date, performance: Performance | None
) -> Probe | None:
    """Return the newest probe of this verdict window; try one where there is none."""
    if performance is None or context.labels is None:
        return None
    model, length = context.models[day], verdict_days(context.problem)
    asked = context.history.last_asked(day)
    for back in range(1, length):
        if asked is not None and day - back * ONE_DAY <= asked:
            break  # what was asked for on an earlier probe is not asked for on it again
        earlier = context.history.decision(day - back * ONE_DAY)
        if (
            earlier is not None
            and earlier.digest == model.digest
            and earlier.probe is not None
            and earlier.probe.gain is not None
            and earlier.probe.day > day - length * ONE_DAY
        ):
            return earlier.probe
    state = retraining_state(context, day)
    if state.new_labels is not None and state.new_labels < state.min_new_labels:
        sentence = (
            f"{state.new_labels} new labelled rows; {state.min_new_labels} are needed for a probe."
        )
        return _skipped(day, sentence)
    if state.cooldown_until is not None and context.calendar.end(day) < state.cooldown_until:
        sentence = "Nothing is retrained during a cool-down, so that a probe would change nothing."
        return _skipped(day, sentence)
    if model.dataset is None:
        return _skipped(day, "The rows that the champion was made from are no longer kept.")
    # The import of LightGBM costs a second of CPU, which most days do without.
    from tasks.monitoring.evidence.probe import try_refit  # noqa: PLC0415 - as said above

    seed = context.problem.models.seed
    onset = onset_of(context, day, performance)
    return try_refit(
        model,
        labelled_days(context, day),
        length,
        day,
        seed=seed,
        policy=context.policy,
        onset=None if onset is None else int(context.calendar.begin(onset).timestamp() * 1e6),
    )


def _skipped(day: date, reason: str) -> Probe:
    return Probe(day=day, gain=None, z=None, rows=0, skipped=reason)
