"""Count one day of one model: files are read a part at a time.

What is left of a day of any length: counts on the reference's grids, the times, score and hashed key
of each row, and the features of the rows with the smallest hashes. Hashes are of the row's
key, so that the rows of an order that came twice are both in the sample, or neither is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle.arrays import Floats
from contract import prediction_log
from contract.prediction_log import ROW_REFERENCE
from methods.controller.days import Calendar, Micros
from methods.drift.profile import DayProfile, day_profile, merge_profiles, summarised
from methods.tables.key_hash import Hashes, hash_keys, is_whole
from tasks.monitoring.evidence.champions import MonitoredModel
from tasks.monitoring.evidence.log_parts import MOMENT, LogPart, concat, read_parts
from tasks.monitoring.evidence.segments import SegmentLog

SAMPLE_ROWS = 10_000  # a day: enough for the classifier and the probe
ROWLESS = np.uint64((1 << 64) - 1)
"""The hash of a row without the key that labels are joined on."""
_HASH = "hash of perennial"  # no feature has this name


@dataclass(frozen=True)
class LogLines:
    """Rows of one day that the day's champion answered, by hash of their key; all (n,)."""

    moment: Micros
    """Event time, else the time of the answer."""
    served_at: Micros
    scores: Floats
    """(n,), or (n, classes)."""
    keys: Hashes
    """Of what labels are joined on; `ROWLESS` where the row does not have it."""
    looked_at: int = 0
    """Rows of the day among which these are all that matter: the others have no label."""


@dataclass(frozen=True)
class CountedDay:
    """What is kept of a day."""

    profile: DayProfile
    lines: LogLines
    sample: pa.Table
    """Features under their own names, of the first lines."""


@dataclass
class _Sample:
    """The rows with the smallest hashes among those that were added."""

    most: int
    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    limit: int = (1 << 64) - 1

    def add(self, table: pa.Table) -> None:
        """Add rows with their hash; those that are no longer among the smallest are left out."""
        table = table.filter(pc.less_equal(table.column(_HASH), pa.scalar(self.limit, pa.uint64())))
        self.tables.append(table)
        self.rows += table.num_rows
        if self.rows > 2 * self.most:
            kept = self.table()
            self.tables, self.rows = [kept], kept.num_rows
            self.limit = kept.column(_HASH)[-1].as_py()

    def table(self) -> pa.Table:
        """Return the rows, by hash."""
        whole = concat(self.tables)
        order = np.argsort(whole.column(_HASH).to_numpy(), kind="stable")[: self.most]
        return whole.take(pa.array(order))


def count_day(
    log: SegmentLog,
    day: date,
    model: MonitoredModel,
    joined: Sequence[str],
    sample_rows: int = SAMPLE_ROWS,
) -> CountedDay:
    """Read the rows of a day that `model` answered.

    Args:
        log: the files.
        day: of the rows' own time.
        model: only rows that it answered count.
        joined: the log's columns that labels are joined on.
        sample_rows: whose features are kept at most.
    """
    keys, content = log.of_day(day, model.digest[:16])
    profiles: list[DayProfile] = []
    lines: list[tuple[Hashes, LogLines]] = []
    sample = _Sample(sample_rows)
    for part in read_parts(log, keys):
        rows = _of_day(part, day, model, log.calendar)
        if not rows.table.num_rows:
            continue
        order, found = _lines(rows, joined)
        lines.append((order, found))
        features = _features(rows.table)
        number = f"{len(profiles)}"
        own = prediction_log.key_columns(rows.table.column_names)
        profiles.append(
            day_profile(
                features,
                found.scores,
                model.reference,
                number,
                rows.table.select(own).append_column(MOMENT, pa.array(found.moment))
                if own
                else None,
                summaries=False,
            )
        )
        sample.add(features.append_column(_HASH, pa.array(order)))
    profile = merge_profiles(profiles).model_copy(update={"parts": (f"{day}#{content}",)})
    table = sample.table().drop_columns(_HASH)
    return CountedDay(
        profile=summarised(profile, table, model.reference),
        lines=_ordered(lines, profile.rows),
        sample=table,
    )


def _of_day(part: LogPart, day: date, model: MonitoredModel, calendar: Calendar) -> LogPart:
    on_day = calendar.positions(part.moments.column(MOMENT).to_numpy(), [day]) == 0
    answered = pc.fill_null(
        pc.equal(part.moments.column(prediction_log.DIGEST), model.digest), fill_value=False
    )
    chosen = on_day & answered.to_numpy()
    if chosen.all():
        return part
    mask = pa.array(chosen)
    return LogPart(part.table.filter(mask), part.moments.filter(mask))


def _lines(part: LogPart, joined: Sequence[str]) -> tuple[Hashes, LogLines]:
    """Return by which hash the rows are ordered, and what is kept of each."""
    table = part.table
    own = prediction_log.key_columns(table.column_names)
    is_own = bool(own) and is_whole([table.column(name) for name in own]).all()
    is_needed = not is_own or tuple(joined) == ROW_REFERENCE
    rows = hash_keys([table.column(name) for name in ROW_REFERENCE]) if is_needed else None
    order = rows if rows is not None and not own else _hash_or(table, own, rows)
    no_key = np.full(table.num_rows, ROWLESS, np.uint64)
    if not set(joined) <= set(table.column_names):
        keys = no_key
    elif rows is not None and tuple(joined) == ROW_REFERENCE:
        keys = rows
    elif list(joined) == own:
        keys = np.where(is_whole([table.column(name) for name in own]), order, no_key)
    else:
        keys = _hash_or(table, joined, no_key)
    found = LogLines(
        moment=part.moments.column(MOMENT).to_numpy(),
        served_at=part.moments.column(prediction_log.SERVED_AT).to_numpy(),
        scores=_scores(table),
        keys=keys,
    )
    return order, found


def _hash_or(table: pa.Table, names: Sequence[str], otherwise: Hashes | None) -> Hashes:
    """Hash the columns; where a part is missing, return the hash `otherwise`."""
    columns = [table.column(name) for name in names]
    hashes = hash_keys(columns)
    return hashes if otherwise is None else np.where(is_whole(columns), hashes, otherwise)


def _features(table: pa.Table) -> pa.Table:
    features = prediction_log.feature_columns(table.column_names)
    return table.select(list(features)).rename_columns(list(features.values()))


def _ordered(parts: Sequence[tuple[Hashes, LogLines]], rows: int) -> LogLines:
    order = np.argsort(np.concatenate([each for each, _ in parts]), kind="stable")
    return LogLines(
        moment=np.concatenate([each.moment for _, each in parts])[order],
        served_at=np.concatenate([each.served_at for _, each in parts])[order],
        scores=np.concatenate([each.scores for _, each in parts])[order],
        keys=np.concatenate([each.keys for _, each in parts])[order],
        looked_at=rows,
    )


def _scores(table: pa.Table) -> Floats:
    """Return the scores, (n,) or (n, classes)."""
    if prediction_log.SCORES in table.column_names:
        lists = table.column(prediction_log.SCORES).combine_chunks()
        flat = pc.list_flatten(lists).cast(pa.float64()).to_numpy(zero_copy_only=False)
        by_class: Floats = np.asarray(flat, dtype=np.float64).reshape(table.num_rows, -1)
        return by_class
    scores: Floats = table.column(prediction_log.SCORE).cast(pa.float64()).to_numpy()
    return scores
