"""What breaks a column of categories: other spellings, renamed, exchanged, merged, filled in."""

import numpy as np

from contract.faults import Fault
from methods.drift.baseline import EXPECTED_ROWS, vanished_share
from methods.drift.bins import unseen_share
from methods.drift.column_day import ColumnDay
from methods.drift.divergence import pool, stability_index
from methods.drift.histograms import Histogram
from methods.drift.profile import ColumnReference
from methods.drift.summaries import FEWEST_ROWS, top_gain

FEWEST_LEVELS = 4  # that must be told apart by their shares before an exchange of them is seen
SHARE_TOLD = 0.01  # of the reference, of a category that counts among them


def _unseen_share(column: ColumnReference, histogram: Histogram) -> float:
    """Return the share of unseen categories beyond what chance leaves unseen; below 0 for fewer."""
    before = column.histogram
    if column.grid.is_open:  # unknown categories cannot be distinguished from rare ones
        return histogram.rare / histogram.present - before.rare / max(before.present, 1)
    return unseen_share(before, histogram)


def respelt(day: ColumnDay) -> list[Fault]:
    """Find known categories in another spelling."""

    def share(histogram: Histogram) -> float:
        return histogram.respelt / histogram.present

    found, limit = share(day.now), day.step(day.limits.respelt, 0.0, share)
    if not day.is_countable or found < limit:
        return []
    what = (
        f"has known values in another spelling in {found:.0%} of the rows: capitals, spaces or "
        "a damaged encoding"
    )
    return day.fault("respelt", found, limit, what)


def renamed(day: ColumnDay) -> list[Fault]:
    """Find new categories that have the share of known ones that did not come."""
    column, now, limits = day.column, day.now, day.limits
    if column.grid.kind != "category" or column.grid.is_open or not day.is_countable:
        return []
    found = _unseen_share(column, now)
    limit = max(limits.renamed, limits.baseline_factor * column.calm.unseen)
    recent = max((_unseen_share(column, each) for each in day.before if each.present), default=0.0)
    gone = vanished_share(column.histogram, now)
    error = (gone * (1 - gone) / now.present) ** 0.5
    if found - max(recent, 0.0) < limit or abs(found - gone) > limits.renamed_z * error:
        return []
    what = (
        f"has new values in {found:.0%} of the rows, and known values of {gone:.0%} did not come: "
        "renamed"
    )
    return day.fault("renamed", found, limit, what)


def unseen(day: ColumnDay) -> list[Fault]:
    """Find many rows in categories that the reference never had."""
    if day.column.grid.is_numeric or not day.is_countable:
        return []
    found = _unseen_share(day.column, day.now)
    limit = day.step(
        day.limits.unseen, day.column.calm.unseen, lambda each: _unseen_share(day.column, each)
    )
    if found < limit:
        return []
    return day.fault("unseen", found, limit, f"has unseen values in {found:.0%} of the rows")


def vanished(day: ColumnDay) -> list[Fault]:
    """Find several categories that did not come at all: merged into others, or left out."""
    column, now = day.column, day.now
    if column.grid.kind != "category" or column.calm.vanished is None or not day.is_countable:
        return []

    def share(histogram: Histogram) -> float:
        return vanished_share(column.histogram, histogram)

    found, limit = share(now), day.step(day.limits.vanished, column.calm.vanished, share)
    expected = np.array(column.histogram.counts) / column.histogram.present * now.present
    count = int(((expected >= EXPECTED_ROWS) & (np.array(now.counts) == 0)).sum())
    if count <= 1 or found < limit:
        return []
    what = f"lacks {count} values that were {found:.0%} of the rows: merged, or left out"
    return day.fault("vanished", found, limit, what)


def relabelled(day: ColumnDay) -> list[Fault]:
    """Find categories whose shares are the old ones, but of others: exchanged for one another."""
    before, now = np.array(day.column.histogram.counts), np.array(day.now.counts)
    told_apart = before >= SHARE_TOLD * max(before.sum(), 1)
    if day.column.grid.kind != "category" or told_apart.sum() < FEWEST_LEVELS:
        return []
    if not day.is_countable or not now.sum():
        return []
    found = stability_index(*pool(before.astype(float), now.astype(float)))[1]
    sorted_shares = stability_index(
        *pool(np.sort(before)[::-1].astype(float), np.sort(now)[::-1].astype(float))
    )[1]
    usual = day.limits.baseline_factor * day.column.calm.psi
    limit = max(day.limits.relabelled, usual)
    if found < limit or sorted_shares > day.limits.proportions:
        return []
    what = "has the old shares on other values: its values were exchanged for one another"
    return day.fault("relabelled", found, limit, what)


def filled(day: ColumnDay) -> list[Fault]:
    """Find one usual value that gained, while all others keep their proportions."""
    column, now = day.column, day.now
    calm = column.calm.gain
    if calm is None or not day.is_countable or column.grid.kind not in {"number", "category"}:
        return []
    before, counts = np.array(column.histogram.counts), np.array(now.counts)
    if column.grid.is_numeric:
        if day.summary is None or day.summary.rows < FEWEST_ROWS:
            return []
        gain = top_gain(column.grid, column.histogram, day.summary)
        top = int(np.searchsorted(np.asarray(column.grid.edges), day.summary.top, side="right"))
        name = f"{day.summary.top:g}"
    else:
        gains = counts / now.present - before / column.histogram.present
        top = int(np.argmax(gains))
        gain, name = float(gains[top]), repr(column.grid.levels[top])
    limit = max(day.limits.filled, day.limits.baseline_factor * calm)
    recent = max((_share_of(each, top) for each in day.before if each.present), default=0.0)
    is_step = _share_of(now, top) - recent >= limit / 2
    others, others_now = np.delete(before, top), np.delete(counts, top)
    if gain < limit or not is_step or not others_now.sum() or not others.sum():
        return []
    moved = stability_index(*pool(others.astype(float), others_now.astype(float)))[1]
    if moved > day.limits.proportions:
        return []
    what = (
        f"is {name} in {gain:.0%} more of the rows than before, all other values in their old "
        "proportions: a default filled in"
    )
    return day.fault("filled", gain, limit, what)


def _share_of(histogram: Histogram, cell: int) -> float:
    return histogram.counts[cell] / histogram.present
