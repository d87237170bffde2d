"""The prediction log, by day of the rows' own time: counted whole, kept in part.

Files lie under the hour in which they were served; a day's rows are those whose event happened on
it, where the problem declares an event time, else those that were served on it. Files are read one
at a time. Of every row the score, the key and the request are kept, of at most 10,000 rows a day
the features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bundle.arrays import Floats
from contract import prediction_log
from contract.store.client import Store
from contract.store.layout import PredictionsKey, parse_keys
from methods.controller.days import Calendar, Micros
from methods.drift.profile import DayProfile, day_profile, merge_profiles, summarised
from methods.tables.sampling import evenly_spaced
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.instants import INSTANT, instants

SAMPLE_ROWS = 10_000  # a day: enough for the classifier and the probe
# A request may be about an event that is still to come; no client asks further ahead.
AHEAD = timedelta(days=60)


@dataclass(frozen=True)
class LogLines:
    """What is kept of every row that the champion of its day answered; all (n,)."""

    moment: Micros
    """Event time, else the time of the answer."""
    served_at: Micros
    scores: Floats
    """(n,), or (n, classes)."""
    keys: pa.Table
    """The row's reference and its key, by the log's column names, as text."""


@dataclass(frozen=True)
class ServedDay:
    """One day's rows."""

    day: date
    digest: str
    profile: DayProfile
    lines: LogLines
    sample: pa.Table
    """Features under their own names, of the lines at `sampled`."""
    sampled: Micros
    repeats: int
    """Rows that repeat another one's key, time and features."""


@dataclass
class _DayRows:
    """Rows of one day, as far as the files were read; one profile a file."""

    profiles: list[DayProfile]
    tables: list[pa.Table]


def read_log(
    store: Store, problem: str, calendar: Calendar, models: Mapping[date, MonitoredModel]
) -> dict[date, ServedDay]:
    """Return the days that have rows.

    Args:
        store: where the log lies.
        problem: its name.
        calendar: of the problem's time zone.
        models: the champion of each of consecutive days; only rows that its own champion answered
            count for a day.
    """
    days = sorted(models)
    if not days:
        return {}
    after = PredictionsKey.prefix(problem, day=days[0] - AHEAD)
    keys = store.keys(PredictionsKey.prefix(problem), start_after=after)
    by_day = {day: _DayRows([], []) for day in days}
    for key in map(str, parse_keys(keys, PredictionsKey)):
        # No name keeps the table of a file: it is freed before the next one is read.
        _distribute(pq.read_table(pa.BufferReader(store.get(key))), key, calendar, models, by_day)
    return {day: _whole(day, models[day], rows) for day, rows in by_day.items() if rows.tables}


def _distribute(
    table: pa.Table,
    key: str,
    calendar: Calendar,
    models: Mapping[date, MonitoredModel],
    by_day: Mapping[date, _DayRows],
) -> None:
    """Add a file's rows to their days."""
    days = sorted(models)
    moments = instants(
        pc.coalesce(
            _times(table, prediction_log.EVENT_TIME), _times(table, prediction_log.SERVED_AT)
        )
    )
    positions = calendar.positions(moments, days)
    digests = table.column(prediction_log.DIGEST).to_numpy()
    table = table.append_column("moment", pa.array(moments))
    for index in np.unique(positions[positions >= 0]).tolist():
        day = days[index]
        model = models[day]
        chosen = np.flatnonzero((positions == index) & (digests == model.digest))
        if not chosen.size:
            continue
        rows = table.take(pa.array(chosen))
        profile = day_profile(
            _features(rows),
            _scores(rows),
            model.reference,
            part=f"{key}#{day}",
            identity=_identity(rows),
        )
        by_day[day].profiles.append(profile)
        by_day[day].tables.append(rows)


def _whole(day: date, model: MonitoredModel, rows: _DayRows) -> ServedDay:
    table = pa.concat_tables(rows.tables, promote_options="permissive")
    sampled = evenly_spaced(table.num_rows, SAMPLE_ROWS)
    sample = table.take(pa.array(sampled))
    features = _features(sample)
    names = prediction_log.key_columns(table.column_names)
    keys = table.select([*prediction_log.ROW_REFERENCE, *names])
    return ServedDay(
        day=day,
        digest=model.digest,
        profile=summarised(merge_profiles(rows.profiles), features, model.reference),
        lines=LogLines(
            moment=table.column("moment").to_numpy(),
            served_at=instants(_times(table, prediction_log.SERVED_AT)),
            scores=_scores(table),
            keys=pa.table(
                {name: keys.column(name).cast(pa.string()) for name in keys.column_names}
            ),
        ),
        sample=features,
        sampled=sampled,
        repeats=_repeats(sample, names, table.num_rows),
    )


def _features(table: pa.Table) -> pa.Table:
    features = prediction_log.feature_columns(table.column_names)
    return table.select(list(features)).rename_columns(list(features.values()))


def _identity(table: pa.Table) -> pa.Table | None:
    """Return the columns by which a row that was logged twice is known; None without a key."""
    keys = prediction_log.key_columns(table.column_names)
    return table.select([*keys, "moment"]) if keys else None


def _scores(table: pa.Table) -> Floats:
    """Return the scores, (n,) or (n, classes)."""
    if prediction_log.SCORES in table.column_names:
        lists = table.column(prediction_log.SCORES).combine_chunks()
        flat = pc.list_flatten(lists).cast(pa.float64()).to_numpy(zero_copy_only=False)
        by_class: Floats = np.asarray(flat, dtype=np.float64).reshape(table.num_rows, -1)
        return by_class
    scores: Floats = table.column(prediction_log.SCORE).cast(pa.float64()).to_numpy()
    return scores


def _repeats(sample: pa.Table, keys: Sequence[str], rows: int) -> int:
    """Return how many rows of the day repeat another one, as the sample shows; 0 without a key."""
    if not keys or not sample.num_rows:
        return 0
    names = [*keys, "moment", *prediction_log.feature_columns(sample.column_names)]
    distinct: int = sample.select(names).group_by(names).aggregate([]).num_rows
    return int(rows * (1 - distinct / sample.num_rows))


def _times(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column of instants, null where it is missing; a time without an offset is UTC."""
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, INSTANT)])
    column = table.column(name)
    if pa.types.is_null(column.type):
        return column.cast(INSTANT)
    if getattr(column.type, "tz", None) is None:
        column = pc.assume_timezone(column.cast(pa.timestamp("us")), "UTC")
    return column.cast(INSTANT)
