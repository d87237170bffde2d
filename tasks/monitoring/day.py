"""From a day's rows to its decision: gathers the evidence, as of the end of the day.

Days whose data was blocked stay out of later windows: what a fault did must not look like drift.
One function a kind of evidence, all of the same day and world: together they are what a day is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contract.decision import Decision, Multivariate, Performance, Probe, Window
from contract.problem import Problem
from methods.drift.comparison import Comparison, compare, distance
from methods.drift.profile import DayProfile, merge_profiles
from methods.drift.quality import check
from tasks.monitoring import verdict
from tasks.monitoring.champions import Champion
from tasks.monitoring.days import ONE_DAY, Days
from tasks.monitoring.evidence import Evidence, Policy, Regime
from tasks.monitoring.labels import Labels
from tasks.monitoring.log import ServedDay
from tasks.monitoring.past import Past
from tasks.monitoring.performance import measure

LONGEST_WINDOW = 28  # days, to which a window with too few rows is extended
FEWEST_ROWS = 500
LABEL_DAYS = 28  # days whose labels are pooled at most
TRAILING_DAYS = 28  # days of the usual number of rows


@dataclass(frozen=True)
class World:
    """Everything there is; each day looks at the part that was there at its end."""

    problem: Problem
    calendar: Days
    champions: Mapping[date, Champion]
    served: Mapping[date, ServedDay]
    labels: Labels | None
    past: Past
    since: Mapping[str, datetime]
    """By digest: the end of what the champion knew."""
    run: str
    """The run that decides."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A day's decision and the profiles that it rests on."""

    decision: Decision
    window: DayProfile | None


def judge(world: World, day: date) -> Judged:
    """Decide one day."""
    champion = world.champions[day]
    today = world.served.get(day)
    window, excluded = _window(world, day)
    shown = Window(
        days=tuple(each.day for each in window),
        rows=sum(each.profile.rows for each in window),
        rows_of_day=today.profile.rows if today else 0,
        excluded=tuple(excluded),
    )
    notes = list(world.notes)
    if today is None or shown.rows < FEWEST_ROWS:
        known = Evidence(shortage=_shortage(day, shown), **_frame(world, day, shown, notes))
        return Judged(verdict.decide(known), None)
    trailing = [world.served[d].profile.rows for d in _before(world, day, TRAILING_DAYS)][::-1]
    faults = check(champion.reference, today.profile, trailing, today.repeats)
    if faults:
        known = Evidence(shortage=None, dq=tuple(faults), **_frame(world, day, shown, notes))
        return Judged(verdict.decide(known), None)
    merged = merge_profiles([each.profile for each in window])
    known_yesterday = world.past.decision(day - ONE_DAY)
    sticky = [c.name for c in known_yesterday.drifted_columns] if known_yesterday else []
    found = compare(champion.reference, merged, sticky)
    performance = _performance(world, champion, day, notes)
    multivariate = None if performance else _multivariate(champion, window, notes)
    evidence = Evidence(
        shortage=None,
        columns=found.columns,
        prediction=found.scores[0] if found.scores else None,
        is_score_drifted=found.is_score_drifted,
        impact=found.impact,
        unseen=found.unseen,
        multivariate=multivariate,
        performance=performance,
        probe=_probe(world, champion, day, performance),
        regime=_regime(world, champion, day, merged, found),
        **_frame(world, day, shown, notes),
    )
    return Judged(verdict.decide(evidence), merged)


def _frame(world: World, day: date, window: Window, notes: list[str]) -> dict[str, object]:
    """Return the evidence that every day has."""
    problem, end = world.problem, world.calendar.end(day)
    return {
        "problem": problem.name,
        "owner": problem.owner,
        "day": day,
        "at": end,
        "run": world.run,
        "digest": world.champions[day].digest,
        "window": window,
        "alarms_before": world.past.alarms(day, problem.monitoring.verdict_window),
        "policy": _policy(world, day, end),
        "notes": tuple(notes),
    }


def _policy(world: World, day: date, end: datetime) -> Policy:
    rules = world.problem.retraining
    champion = world.champions[day]
    since = world.since[champion.digest]
    new = None if world.labels is None else world.labels.fresh(since, end)
    return Policy(
        mode=rules.mode,
        cooldown_until=world.past.cooldown_until(end, rules.cooldown),
        retrains=world.past.retrains(end),
        max_retrains=rules.max_per_30d,
        new_labels=new,
        min_new_labels=_min_new_labels(world.problem, champion),
        age=max(timedelta(0), end - since),
        max_age=rules.max_age,
        blocked_before=world.past.blocked(day - ONE_DAY),
    )


def _min_new_labels(problem: Problem, champion: Champion) -> int:
    wanted = problem.retraining.min_new_labels
    return max(wanted.rows, round(wanted.share * champion.model.card.rows))


def _before(world: World, day: date, most: int) -> list[date]:
    """Return earlier days of the same champion that were served and not blocked, newest first."""
    digest = world.champions[day].digest
    return [
        earlier
        for earlier in (day - n * ONE_DAY for n in range(1, most + 1))
        if earlier in world.served
        and world.served[earlier].digest == digest
        and not world.past.blocked(earlier)
    ]


def _window(world: World, day: date) -> tuple[list[ServedDay], list[date]]:
    """Return the days that are judged together, newest first, and those left out as blocked.

    The verdict window, extended backwards while it has fewer than 500 rows.
    """
    length = _length(world.problem)
    usable = {day, *_before(world, day, LONGEST_WINDOW - 1)}
    window: list[ServedDay] = []
    excluded: list[date] = []
    rows = 0
    for back in range(LONGEST_WINDOW):
        if back >= length and rows >= FEWEST_ROWS:
            break
        each = day - back * ONE_DAY
        if world.past.blocked(each) and each != day:
            excluded.append(each)
        elif each in usable and each in world.served:
            window.append(world.served[each])
            rows += world.served[each].profile.rows
    return window, excluded


def _length(problem: Problem) -> int:
    return max(1, problem.monitoring.verdict_window // ONE_DAY)


def _shortage(day: date, window: Window) -> str:
    if not window.rows_of_day:
        return f"No prediction was served on {day}."
    return (
        f"{window.rows} rows were served in {len(window.days)} days; {FEWEST_ROWS} are needed "
        "for a verdict."
    )


def _labelled(world: World, day: date, most: int) -> list[tuple[ServedDay, list[str | None]]]:
    """Return days, newest first, with their labels as they were known at the end of `day`."""
    if world.labels is None:
        return []
    end = world.calendar.end(day)
    days = [world.served[each] for each in (day, *_before(world, day, most - 1))]
    return [(each, world.labels.of(each, end)) for each in days]


def _performance(
    world: World, champion: Champion, day: date, notes: list[str]
) -> Performance | None:
    found = measure(champion, _labelled(world, day, LABEL_DAYS), _length(world.problem))
    if found is None and world.labels is not None:
        notes.append("Too few labels were known for a loss: 500 rows, 50 of each class.")
    return found


def _probe(
    world: World, champion: Champion, day: date, performance: Performance | None
) -> Probe | None:
    """Return the newest probe of this verdict window; try one where there is none."""
    if performance is None or world.labels is None:
        return None
    length = _length(world.problem)
    for back in range(1, length):
        earlier = world.past.decision(day - back * ONE_DAY)
        if (
            earlier is not None
            and earlier.digest == champion.digest
            and earlier.probe is not None
            and earlier.probe.gain is not None
            and earlier.probe.day > day - length * ONE_DAY
        ):
            return earlier.probe
    end = world.calendar.end(day)
    # The import of LightGBM costs a second of CPU, which most days do without.
    from tasks.monitoring.probe import probe, skip  # noqa: PLC0415 - as said above

    new = world.labels.fresh(world.since[champion.digest], end)
    needed = _min_new_labels(world.problem, champion)
    if new is not None and new < needed:
        return skip(day, f"{new} new labelled rows; {needed} are needed for a probe.")
    cooldown = world.past.cooldown_until(end, world.problem.retraining.cooldown)
    if cooldown is not None and end < cooldown:
        return skip(day, "Nothing is retrained during a cool-down, so a probe would help nobody.")
    days = _labelled(world, day, LABEL_DAYS)
    return probe(champion, days, length, day, world.problem.models.seed)


def _multivariate(
    champion: Champion, window: Sequence[ServedDay], notes: list[str]
) -> Multivariate | None:
    """Ask the classifier, where no label can tell and the reference's rows are still there."""
    dataset = champion.dataset
    if dataset is None:
        notes.append("The reference's rows are kept no longer; no classifier was asked.")
        return None
    import pyarrow as pa  # noqa: PLC0415 - only where the classifier is asked

    from tasks.monitoring import domain  # noqa: PLC0415 - imports LightGBM, a second of CPU

    before = dataset.take(dataset.rows("validation"))
    now = pa.concat_tables([each.sample for each in window], promote_options="permissive")
    return domain.compare(champion.reference, before, now, seed=0)


def _regime(
    world: World, champion: Champion, day: date, merged: DayProfile, found: Comparison
) -> Regime | None:
    """Return how far this window is from the one whose challenger was refused."""
    accepted = world.past.refused_regime(world.calendar.end(day))
    if accepted is None or accepted.digest != champion.digest or accepted.day >= day:
        return None
    days = [world.served[each] for each in accepted.window.days if each in world.served]
    if not days:
        return None
    then = merge_profiles([each.profile for each in days])
    names = [column.name for column in (*found.drifted, *found.scores)]
    return Regime(
        day=accepted.day,
        distance=distance(champion.reference, then, merged, names),
        loss=accepted.performance.cur if accepted.performance else None,
    )
