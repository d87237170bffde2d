"""How far a day's window is from the one whose challenger was refused."""

from datetime import date

from contract.decision import Decision
from contract.store.documents import read_document
from contract.store.layout import WindowProfileKey
from methods.controller.evidence import Regime
from methods.controller.losses import level_of
from methods.drift.comparison import Comparison, distance
from methods.drift.profile import DayProfile, merge_profiles
from tasks.monitoring.context import MonitoringContext


def regime_of(
    context: MonitoringContext, day: date, merged: DayProfile, comparison: Comparison
) -> Regime | None:
    """Return how far this window is from the one whose challenger was refused."""
    model = context.models[day]
    refused = context.history.refused_decision(context.calendar.end(day))
    if refused is None or refused.digest != model.digest or refused.day >= day:
        return None
    then = _window_of(context, refused)
    if then is None:
        return None
    names = [column.name for column in (*comparison.drifted, *comparison.scores)]
    return Regime(
        day=refused.day,
        distance=distance(model.reference, then, merged, names),
        loss=level_of(refused),
    )


def _window_of(context: MonitoringContext, decision: Decision) -> DayProfile | None:
    """Return the window that a retraining was asked for about, however long ago that was.

    A version before kept none: its days are merged anew, as far as they are still read.
    """
    key = WindowProfileKey(decision.problem, decision.day)
    kept = read_document(context.store, str(key), DayProfile)
    days = [context.served[each] for each in decision.window.days if each in context.served]
    if kept is None and days:
        return merge_profiles([each.profile for each in days])
    return kept
