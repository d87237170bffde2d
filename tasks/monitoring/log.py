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
from methods.drift.profile import DayProfile, day_profile, merge_profiles, summarised
from methods.tables.sampling import evenly_spaced
from tasks.monitoring.champions import Champion
from tasks.monitoring.days import Days, Micros

SAMPLE_ROWS = 10_000  # a day: enough for the classifier and the probe
# A request may ask about an event that is still to come; so far ahead nobody asks.
AHEAD = timedelta(days=60)
_MICROSECONDS = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Lines:
    """What is kept of every row that the champion of its day answered; all (n,)."""

    moment: Micros
    """Event time, else the time of the answer."""
    served_at: Micros
    scores: Floats
    """(n,), or (n, classes)."""
    words: pa.Table
    """The row's reference and its key, by the log's column names, as text."""


@dataclass(frozen=True)
class ServedDay:
    """One day's rows."""

    day: date
    digest: str
    profile: DayProfile
    lines: Lines
    sample: pa.Table
    """Features under their own names, of the lines at `sampled`."""
    sampled: Micros
    repeats: int
    """Rows that repeat another one's key, time and features."""


@dataclass
class _Held:
    profiles: list[DayProfile]
    tables: list[pa.Table]


def read_log(
    store: Store, problem: str, calendar: Days, champions: Mapping[date, Champion]
) -> dict[date, ServedDay]:
    """Return the days that have rows.

    Args:
        store: where the log lies.
        problem: its name.
        calendar: of the problem's time zone.
        champions: who served on each of a row of consecutive days; only rows of its own champion
            count for a day.
    """
    days = sorted(champions)
    if not days:
        return {}
    after = PredictionsKey.prefix(problem, day=days[0] - AHEAD)
    keys = store.keys(PredictionsKey.prefix(problem), start_after=after)
    held = {day: _Held([], []) for day in days}
    for key in map(str, parse_keys(keys, PredictionsKey)):
        # Tables keep their buffers alone: the file is gone after its turn.
        _take(pq.read_table(pa.BufferReader(store.get(key))), key, calendar, champions, held)
    return {day: _whole(day, champions[day], found) for day, found in held.items() if found.tables}


def _take(
    table: pa.Table,
    key: str,
    calendar: Days,
    champions: Mapping[date, Champion],
    held: Mapping[date, _Held],
) -> None:
    """Hand a file's rows to their days."""
    days = sorted(champions)
    moments = _micros(
        pc.coalesce(
            _times(table, prediction_log.EVENT_TIME), _times(table, prediction_log.SERVED_AT)
        )
    )
    places = calendar.places(moments, days)
    digests = table.column(prediction_log.DIGEST).to_numpy()
    table = table.append_column("moment", pa.array(moments))
    for place in np.unique(places[places >= 0]).tolist():
        champion = champions[days[place]]
        chosen = np.flatnonzero((places == place) & (digests == champion.digest))
        if not chosen.size:
            continue
        rows = table.take(pa.array(chosen))
        profile = day_profile(
            _features(rows), _scores(rows), champion.reference, part=f"{key}#{days[place]}"
        )
        held[days[place]].profiles.append(profile)
        held[days[place]].tables.append(rows)


def _whole(day: date, champion: Champion, held: _Held) -> ServedDay:
    table = pa.concat_tables(held.tables, promote_options="permissive")
    sampled = evenly_spaced(table.num_rows, SAMPLE_ROWS)
    sample = table.take(pa.array(sampled))
    features = _features(sample)
    names = prediction_log.key_columns(table.column_names)
    words = table.select([*prediction_log.ROW_REFERENCE, *names])
    return ServedDay(
        day=day,
        digest=champion.digest,
        profile=summarised(merge_profiles(held.profiles), features, champion.reference),
        lines=Lines(
            moment=table.column("moment").to_numpy(),
            served_at=_micros(_times(table, prediction_log.SERVED_AT)),
            scores=_scores(table),
            words=pa.table(
                {name: words.column(name).cast(pa.string()) for name in words.column_names}
            ),
        ),
        sample=features,
        sampled=sampled,
        repeats=_repeats(sample, names, table.num_rows),
    )


def _features(table: pa.Table) -> pa.Table:
    features = prediction_log.feature_columns(table.column_names)
    return table.select(list(features)).rename_columns(list(features.values()))


def _scores(table: pa.Table) -> Floats:
    """Return the scores, (n,) or (n, classes)."""
    if prediction_log.SCORES in table.column_names:
        lists = table.column(prediction_log.SCORES).combine_chunks()
        flat = pc.list_flatten(lists).cast(pa.float64()).to_numpy(zero_copy_only=False)
        found: Floats = np.asarray(flat, dtype=np.float64).reshape(table.num_rows, -1)
        return found
    numbers: Floats = table.column(prediction_log.SCORE).cast(pa.float64()).to_numpy()
    return numbers


def _repeats(sample: pa.Table, keys: Sequence[str], rows: int) -> int:
    """Return how many rows of the day repeat another one, as the sample shows; 0 without a key."""
    if not keys or not sample.num_rows:
        return 0
    names = [*keys, "moment", *prediction_log.feature_columns(sample.column_names)]
    distinct: int = sample.select(names).group_by(names).aggregate([]).num_rows
    return int(rows * (1 - distinct / sample.num_rows))


def _times(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, _MICROSECONDS)])
    column = table.column(name)
    if pa.types.is_null(column.type):
        return column.cast(_MICROSECONDS)
    if getattr(column.type, "tz", None) is None:
        column = pc.assume_timezone(column.cast(pa.timestamp("us")), "UTC")
    return column.cast(_MICROSECONDS)


def _micros(column: pa.ChunkedArray) -> Micros:
    found: Micros = column.cast(pa.int64()).to_numpy()
    return found
