"""Which columns no longer move with the others as they did in the reference."""

from collections.abc import Collection, Mapping
from datetime import date

from contract.faults import Fault
from methods.drift.limits import QualityLimits
from methods.drift.profile import DayProfile, ReferenceProfile
from methods.drift.relations import Relations, Sums, correlations, kept_share

MOST_NAMED = 2  # columns of rows that are mixed
AGAINST = -0.2  # kept share below which a column moves the other way
LOOSE = 0.3  # and below which it moves with nothing


def relation_faults(
    reference: ReferenceProfile,
    day: DayProfile,
    before: Mapping[date, DayProfile],
    broken: Collection[str],
    limits: QualityLimits,
) -> list[Fault]:
    """Return the columns whose relations broke, the worst first.

    The one that kept least is named, its pairs are left out, and the others are looked at again: a
    partner of the broken column is not broken. Where none is left that moves with another, no column
    is named: the rows are mixed.

    Args:
        reference: of the champion.
        day: on the same grids.
        before: earlier days in limits.
        broken: columns that are broken by themselves, whose relations say nothing.
        limits: of the policy.
    """
    relations = reference.relations
    if relations is None or len(day.relations) != len(relations.pairs):
        return []
    earlier = [
        each.relations for each in before.values() if len(each.relations) == len(relations.pairs)
    ]
    without = set(broken)
    found: list[tuple[str, float, float]] = []
    while True:
        measured = [
            (share, name, limit)
            for name in sorted(relations.columns - without)
            if (each := _judge(relations, day, earlier, name, without=without, limits=limits))
            is not None
            for share, limit in [each]
        ]
        if not measured:
            break
        share, name, limit = min(measured)
        found.append((name, share, limit))
        without.add(name)
    rest = relations.columns - without
    if len(found) > 1 and not any(
        kept_share(relations, day.relations, name, without) for name in rest
    ):
        return [_mixed(found, len(relations.columns - set(broken)))]
    return [_fault(relations, day, *each) for each in found]


def _judge(
    relations: Relations,
    day: DayProfile,
    earlier: list[tuple[Sums, ...]],
    name: str,
    *,
    without: Collection[str],
    limits: QualityLimits,
) -> tuple[float, float] | None:
    """Return kept share and limit of a column that broke; None: it did not."""
    now = kept_share(relations, day.relations, name, without)
    if now is None:
        return None
    share, error = now
    days = relations.days.get(name)
    past = [each[0] for sums in earlier if (each := kept_share(relations, sums, name, without))]
    known = len(past) + (days.days if days is not None else 0)
    if known < limits.relation_days:
        return None
    wobble = days.wobble if days is not None else 0.0
    lowest = min([*past, *([days.lowest] if days is not None else [])])
    # What the past did counts twice, as everywhere; chance alone is in the standard error.
    limit = min(limits.relation, 1 - limits.baseline_factor * (1 - lowest))
    deviation = (1 - share) / (error**2 + wobble**2) ** 0.5
    if share >= limit or deviation < limits.relation_z:
        return None
    return share, limit


def _fault(relations: Relations, day: DayProfile, name: str, share: float, limit: float) -> Fault:
    """Say how the column moves with its strongest partner, now and before."""
    index, pair = max(
        (each for each in enumerate(relations.pairs) if name in {each[1].one, each[1].other}),
        key=lambda each: abs(each[1].correlation),
    )
    partner = pair.other if pair.one == name else pair.one
    now = correlations(day.relations)[index]
    ranks = f"rank correlation {pair.correlation:.2f} before, {now or 0.0:.2f} now"
    if share < AGAINST:
        what = f"moves against {partner!r} ({ranks}): its sign turned, or it was exchanged"
    elif share < LOOSE:
        what = (
            f"no longer moves with {partner!r} ({ranks}): it was exchanged with another column, or "
            "its rows are mixed"
        )
    else:
        what = f"moves less with {partner!r} ({ranks}): it is noisy, or a part of it is wrong"
    return Fault(
        check="relation",
        column=name,
        found=round(share, 4),
        limit=round(limit, 4),
        sentence=f"{name!r} {what}.",
    )


def _mixed(found: list[tuple[str, float, float]], columns: int) -> Fault:
    """Say that all columns that moved together broke at once."""
    names = ", ".join(repr(name) for name, _, _ in found[:MOST_NAMED])
    return Fault(
        check="relation",
        column=None,
        found=round(min(share for _, share, _ in found), 4),
        limit=round(min(limit for _, _, limit in found), 4),
        sentence=(
            f"None of the {columns} columns that moved together still does, such as {names}: "
            "columns were exchanged, or rows were put together wrongly."
        ),
    )
