"""Late labels joined to the rows that were served, as of any moment."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle import values
from contract.times import microseconds
from methods.controller.days import Micros
from methods.drift.histograms import to_texts
from tasks.monitoring.evidence.label_versions import ALWAYS, LabelVersions
from tasks.monitoring.evidence.log import ServedDay


class JoinedLabels:
    """The labels of the served lines, as of any moment."""

    def __init__(
        self, days: Sequence[ServedDay], versions: LabelVersions, joined: Sequence[str]
    ) -> None:
        """Join once; `joined` are the names of the lines' key columns, in the order of the keys."""
        self._ranges = {}
        tables, total = [], 0
        for day in days:
            self._ranges[day.day] = (total, total + day.profile.rows)
            total += day.profile.rows
            tables.append(day.lines.keys.select(list(joined)))
        self._first_known = _first_known(versions)
        if not tables:
            self._line, self._known = np.empty(0, np.int64), np.empty(0, np.int64)
            self._labels = np.empty(0, dtype=object)
            return
        lines = _like_keys(pa.concat_tables(tables), versions.keys).append_column(
            "line", pa.array(np.arange(total))
        )
        names = versions.keys.column_names
        right = _texts(versions.keys).append_column(
            "version", pa.array(np.arange(len(versions.known)))
        )
        matched = lines.rename_columns([*names, "line"]).join(right, names, join_type="inner")
        line = matched.column("line").to_numpy()
        version = matched.column("version").to_numpy()
        order = np.lexsort((version, versions.known[version]))
        self._line, version = line[order], version[order]
        self._known = versions.known[version]
        self._labels = np.array(versions.labels.take(pa.array(version)).to_pylist(), dtype=object)

    def of(self, day: ServedDay, at: datetime) -> list[str | None]:
        """Return the label of each line of `day`, as it was known at `at`; None: not yet."""
        first, last = self._ranges[day.day]
        known = (self._known <= microseconds(at)) & (self._line >= first) & (self._line < last)
        # The newest version is the last one of its line; np.unique on the reverse finds it first.
        lines, newest = np.unique(self._line[known][::-1], return_index=True)
        by_line: list[str | None] = [None] * (last - first)
        labels = self._labels[known][::-1][newest]
        for line, label in zip((lines - first).tolist(), labels.tolist(), strict=True):
            by_line[line] = label
        return by_line

    def new_between(self, since: datetime, at: datetime) -> int | None:
        """Return how many labels became known after `since` and by `at`.

        None where the source has no times, so that it cannot be known.
        """
        if self._first_known is None:
            return None
        limits = [microseconds(since), microseconds(at)]
        low, high = np.searchsorted(self._first_known, limits, side="right")
        return int(high - low)


def _texts(keys: pa.Table) -> pa.Table:
    """Spell key columns so that they join: instants by their microseconds."""
    return pa.table(
        {
            name: to_texts(
                keys.column(name).cast(pa.int64())
                if pa.types.is_timestamp(keys.column(name).type)
                else keys.column(name)
            )
            for name in keys.column_names
        }
    )


def _like_keys(lines: pa.Table, keys: pa.Table) -> pa.Table:
    """Spell the lines' texts as the keys are: a time that was sent as ISO 8601 is an instant."""
    columns = {}
    for name, like in zip(lines.column_names, keys.column_names, strict=True):
        column = lines.column(name)
        if pa.types.is_timestamp(keys.column(like).type):
            texts = map(_microseconds_text, column.to_pylist())
            column = pa.chunked_array([pa.array(texts, pa.string())])
        columns[name] = column
    return pa.table(columns)


def _microseconds_text(text: str | None) -> str | None:
    try:
        instant = values.instant(text)
    except values.Unusable:
        return None
    return None if instant is None else str(microseconds(instant))


def _first_known(versions: LabelVersions) -> Micros | None:
    """Return when each key's label was first known, ascending; None without times."""
    has_label = pc.is_valid(versions.labels)
    known = versions.known[has_label.to_numpy()]
    if known.size and known.max() == ALWAYS:
        return None
    table = _texts(versions.keys).filter(has_label).append_column("known", pa.array(known))
    first = table.group_by(versions.keys.column_names).aggregate([("known", "min")])
    return np.sort(first.column("known_min").to_numpy())
