"""Whether a day's data is broken, as of its end; and whether rows that came later broke a day before."""

from collections.abc import Iterator
from datetime import date

from contract.faults import Fault
from contract.store.documents import read_document
from contract.store.layout import DayProfileKey
from methods.controller.days import ONE_DAY
from methods.drift.profile import DayProfile
from methods.drift.quality import AcceptedState, check
from methods.drift.row_faults import volume_faults
from tasks.monitoring.context import MonitoringContext
from tasks.monitoring.window import days_before

_COLUMN = "column "  # how a fault's subject begins where it is about a column


def day_faults(context: MonitoringContext, day: date) -> tuple[Fault, ...]:
    """Return what is broken on a day, the gravest first; a day without any row may be broken too."""
    model, policy = context.models[day], context.policy
    today = context.served.get(day)
    before = {
        each: context.served[each].profile
        for each in days_before(context, day, policy.usual_rows_days)
    }
    adopted = context.history.adopted(model.digest)
    faults: list[Fault] = []
    if today is not None:
        accepted = AcceptedState(
            columns=dict(_accepted_columns(context, model.digest, adopted)),
            checks=frozenset(each for each in adopted if not each.startswith(_COLUMN)),
        )
        faults += check(model.reference, today.profile, before, accepted, limits=policy.quality)
    faults += volume_faults(
        day,
        0 if today is None else today.rows,
        {each: profile.rows for each, profile in before.items()} | _empty_days(context, day),
        model.reference.weekdays,
        accepted=adopted.get("rows"),
        limits=policy.quality,
    )
    return tuple(faults)


def check_late_rows(context: MonitoringContext, day: date) -> tuple[str, ...]:
    """Check the days before again whose rows are not those of their decision, and leave out the broken.

    A file that came late, or came twice, is checked like any other: what it holds would go straight
    into the window. Returns a sentence for each day that is left out.
    """
    history, policy = context.history, context.policy
    notes = []
    for back in range(policy.longest_window_days, 0, -1):
        earlier = day - back * ONE_DAY
        decision, served = history.decision(earlier), context.served.get(earlier)
        if decision is None or served is None or decision.digest != served.digest:
            continue
        rows = served.rows
        # The same whether an earlier day of this run found it already: each day says so anew.
        if decision.is_brief or history.is_fault(earlier) or decision.window.rows_of_day == rows:
            continue
        faults = day_faults(context, earlier)
        if faults:
            history.block_late(earlier)
            notes.append(
                f"{earlier} had {decision.window.rows_of_day} rows when it was decided and has "
                f"{rows} now, which are broken, so that the day is left out: {faults[0].sentence}"
            )
    return tuple(notes)


def _accepted_columns(
    context: MonitoringContext, digest: str, adopted: dict[str, date]
) -> Iterator[tuple[str, DayProfile]]:
    """Yield each accepted column and the day whose state of it is accepted."""
    for subject, since in adopted.items():
        if not subject.startswith(_COLUMN):
            continue
        served = context.served.get(since)
        profile = _kept_profile(context, since, digest) if served is None else served.profile
        if profile is not None:
            yield subject.removeprefix(_COLUMN), profile


def _kept_profile(context: MonitoringContext, day: date, digest: str) -> DayProfile | None:
    """Return the profile that was kept of a day long ago; None where it is gone."""
    key = DayProfileKey(context.problem.name, day, digest[:16])
    return read_document(context.store, str(key), DayProfile)


def _empty_days(context: MonitoringContext, day: date) -> dict[date, int]:
    """Return the days before on which nothing was served, and that were not blocked for it."""
    found = {}
    for back in range(1, context.policy.usual_rows_days + 1):
        earlier = day - back * ONE_DAY
        decision = context.history.decision(earlier)
        if decision is None or decision.is_brief or earlier in context.served:
            continue
        if not decision.window.rows_of_day and not context.history.is_blocked(earlier):
            found[earlier] = 0
    return found
