"""Training, validation and hold-out rows (the vault), from a row's key and time alone.

The same rules serve exploration, preprocessing and split, so that no search looks at a row of the
vault before the gate does. As more rows come, rows move from the vault to training, and none moves
back to judge a model that learnt it. By hash the vault is the lowest buckets, and only so many as
the judgement needs. By time it is the newest rows, after a change those since its onset: rows that
the serving model has not learnt where there are enough, else rows that its judged twin has not.

Source: Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012; sections 3 and 4.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.canonical_json import sha256
from contract.errors import Refused
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.earlier_runs import Learnt, learnt_by_champion
from contract.strict import Strict
from methods.columns.schema import key_columns
from methods.retrain.thresholds import RetrainLimits
from methods.split.judged import enough_from, is_rarer

BUCKETS = 10_000
VAULT_ROWS = 2_000  # rows that a paired bootstrap needs to see a gain of a hundredth of AUC
SEPARATOR = "\x1f"  # between the columns of a key; no text file holds it
MICROSECONDS = 1_000_000

# In the assignment's `part`; a row in a gap is not used, so that no label of an earlier part
# becomes known during a later one.
TRAIN, VALIDATION, VAULT, GAP = "train", "validation", "vault", "gap"

By = Literal["time", "hash", "group"]


class SplitRule(Strict):
    """How rows are split; everything but the rows themselves."""

    by: By
    columns: tuple[str, ...]
    """Whose values are hashed: the key, or the group; unused by time."""
    event_time: str | None
    target: str | None = None
    """The target's column: where it has two classes, enough rows of the rarer one must judge."""
    vault: float
    """Share of the rows, in (0, 1)."""
    validation: float
    """Share of the rows by hash, of those before the vault by time; in (0, 1)."""
    gap_seconds: float = 0.0
    window_seconds: float | None = None
    """By time: a vault need not reach back further than this (four verdict windows)."""
    salt: str
    not_before: int | None = None
    """By time: the serving model's judged twin has learnt from no row from then on, in microseconds
    since 1970."""
    unlearnt_from: int | None = None
    """By time: from then on the serving model itself has learnt from no row, likewise."""
    onset: int | None = None
    """By time: the first moment of the change that the run is about, likewise; None: of none."""
    vault_buckets: int | None = None
    """By hash: the buckets that the serving model's judged twin has learnt nothing of; None: all of
    the vault's share."""


def salt_of(problem: str) -> str:
    """Return the salt of a problem's hashes by its name, 16 hexadecimal digits.

    It is the same in every run, so that a row keeps its part forever.
    """
    return sha256(f"perennial:{problem}".encode())[:16]


def split_rule(problem: Problem, run: Run, store: Store) -> SplitRule:
    """Return the problem's rule for this run.

    Raises:
        Refused: by time, and what the split of the serving model said is gone.
    """
    learnt = learnt_by_champion(store, run, by=problem.split_by)
    return split_rule_from(problem, run.salt, learnt, run.onset)


def split_rule_from(
    problem: Problem, salt: str, learnt: Learnt, onset_day: date | None = None
) -> SplitRule:
    """Return the problem's rule with what a run and the serving model add to it."""
    group = problem.split.group
    onset = None
    if onset_day is not None:
        begins = datetime.combine(onset_day, time(), ZoneInfo(problem.timezone))
        onset = int(begins.timestamp() * MICROSECONDS)
    return SplitRule(
        by=problem.split_by,
        columns=(group,) if group else key_columns(problem),
        event_time=problem.main_source.event_time,
        target=problem.target.column,
        vault=problem.split.vault,
        validation=problem.split.validation,
        gap_seconds=problem.split.gap.total_seconds(),
        window_seconds=4 * problem.monitoring.verdict_window.total_seconds(),
        salt=salt,
        not_before=learnt.twin_until,
        unlearnt_from=learnt.until,
        onset=onset,
        vault_buckets=learnt.vault_buckets,
    )


class Cuts(Strict):
    """By time: where validation and vault begin and earlier parts end, microseconds since 1970."""

    train_until: int
    validation_from: int
    validation_until: int
    vault_from: int


def microseconds(column: pa.ChunkedArray) -> np.ndarray:
    """Return times as int64 microseconds since 1970 UTC, shape (n,); no time may be missing."""
    moments = pc.cast(column, pa.timestamp("us", getattr(column.type, "tz", None)))
    return np.asarray(pc.cast(moments, pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def key_texts(table: pa.Table, columns: Sequence[str]) -> list[str]:
    """Return each row's key as one text; a missing part of a key is empty."""
    parts = [pc.fill_null(pc.cast(table[name], pa.string()), "") for name in columns]
    if len(parts) == 1:
        return list(parts[0].to_pylist())
    return list(pc.binary_join_element_wise(*parts, SEPARATOR).to_pylist())


def buckets(texts: Sequence[str], salt: str) -> np.ndarray:
    """Return each text's bucket in [0, 10,000), int32 of shape (n,).

    DuckDB's `md5_number_lower(salt || ':' || text) % 10000` is the same number.

    >>> buckets(["1", "2", "3"], "7").tolist()
    [1093, 8037, 4593]
    """
    start = hashlib.md5(f"{salt}:".encode(), usedforsecurity=False)

    def bucket(text: str) -> int:
        digest = start.copy()
        digest.update(text.encode())
        return int.from_bytes(digest.digest()[8:], "little") % BUCKETS

    known = {text: bucket(text) for text in set(texts)}
    return np.fromiter((known[text] for text in texts), dtype=np.int32, count=len(texts))


def cuts(
    times: np.ndarray,
    rule: SplitRule,
    rarer: np.ndarray | None = None,
    limits: RetrainLimits | None = None,
) -> Cuts:
    """Return where the parts begin and end in time.

    The vault holds the newest rows: at most the share `vault`, at most the window, and at least
    2,000 rows or the share, whichever is less. After a change it begins with its onset. Where a
    model serves, only rows that it has not learnt count, or its judged twin has not where these are
    too few. All limits move forward as newer rows come.

    Args:
        times: of the labelled rows, int64 microseconds, shape (n,), in any order.
        rule: with `by` "time".
        rarer: the times of the rarer of two classes, likewise; None: no class is counted.
        limits: how many rows judge at least.

    Raises:
        Refused: the rows' times leave a part without a row.
    """
    ordered = np.sort(times)
    rows = len(ordered)
    if rows == 0 or ordered[0] == ordered[-1]:
        sentence = (
            f"The {rows} labelled rows share one event time in {rule.event_time!r}; two parts "
            "need two times. Set `split.by: hash`, or collect a longer window."
        )
        raise Refused(sentence)
    most = max(1, int(rule.vault * rows))
    count = most
    if rule.window_seconds is not None:
        start = ordered[-1] - int(rule.window_seconds * MICROSECONDS)
        in_window = rows - int(np.searchsorted(ordered, start, side="right"))
        count = min(most, max(in_window, VAULT_ROWS))
    vault_from = int(ordered[rows - count])
    if rule.onset is not None or rule.unlearnt_from is not None:
        enough = enough_from(
            ordered, np.sort(rarer) if rarer is not None else ordered[:0], limits or RetrainLimits()
        )
        vault_from = _judged_from(vault_from, enough, rule)
    if rule.not_before is not None:
        vault_from = max(vault_from, rule.not_before)
    if vault_from > ordered[-1]:
        sentence = (
            "The window ends before the serving model's vault begins, so that model has learned "
            "from every row in it; choose a later `window_end`."
        )
        raise Refused(sentence)
    return _cuts_before(ordered, vault_from, rule)


def _judged_from(vault_from: int, enough: int | None, rule: SplitRule) -> int:
    """Move the vault's begin forward to the rows that tell of a change, as far as enough remain."""
    begin = max(vault_from, rule.onset or vault_from, rule.unlearnt_from or vault_from)
    return vault_from if enough is None else max(vault_from, min(begin, enough))


def _cuts_before(ordered: np.ndarray, vault_from: int, rule: SplitRule) -> Cuts:
    gap = int(rule.gap_seconds * MICROSECONDS)
    validation_until = vault_from - gap
    earlier = ordered[ordered < validation_until]
    count = int(rule.validation * len(earlier))
    if count == 0 or earlier[0] == earlier[-1]:
        sentence = (
            f"Before the vault and its gap of {rule.gap_seconds:g} s stand {len(earlier)} labelled "
            "rows, too few for training and validation; collect a longer window, "
            "or make `split.gap` or `split.vault` smaller."
        )
        raise Refused(sentence)
    validation_from = int(earlier[len(earlier) - count])
    if validation_from == earlier[0]:
        validation_from = int(earlier[earlier > earlier[0]][0])
    return Cuts(
        train_until=validation_from - gap,
        validation_from=validation_from,
        validation_until=validation_until,
        vault_from=vault_from,
    )


def parts(table: pa.Table, rule: SplitRule) -> np.ndarray:
    """Return the part of every row, text of shape (n,).

    Raises:
        Refused: by time, the rows' times leave a part without a row.
    """
    if rule.by == "time":
        times = microseconds(table[rule.event_time])
        return parts_by_time(times, cuts(times, rule, times[is_rarer(table, rule.target)]))
    return parts_by_bucket(buckets(key_texts(table, rule.columns), rule.salt), rule)


def parts_by_time(times: np.ndarray, limits: Cuts) -> np.ndarray:
    """Return the part of every time, shape (n,)."""
    return np.select(
        [
            times < limits.train_until,
            (times >= limits.validation_from) & (times < limits.validation_until),
            times >= limits.vault_from,
        ],
        [TRAIN, VALIDATION, VAULT],
        default=GAP,
    )


def vault_buckets(rows: int, rule: SplitRule) -> int:
    """Return how many of the lowest buckets are the vault.

    By hash the share is halved while the vault would hold more rows than a judgement needs; more
    rows never make it larger. A group's rows are not independent, so that its share stays.
    """
    most = round(rule.vault * BUCKETS)
    while rule.by == "hash" and most > 1 and most * rows > RetrainLimits().vault_rows * BUCKETS:
        most //= 2
    return most if rule.vault_buckets is None else min(most, rule.vault_buckets)


def parts_by_bucket(bucket: np.ndarray, rule: SplitRule) -> np.ndarray:
    """Return the part of every row by its bucket, shape (n,): vault, then validation, then train.

    Validation's limits depend on nothing but the shares; what the vault does not need is for
    training, so that a row that once left the vault never judges again.
    """
    share = round(rule.vault * BUCKETS)
    vault, validation = vault_buckets(len(bucket), rule), share + round(rule.validation * BUCKETS)
    is_validation = (bucket >= share) & (bucket < validation)
    return np.select([bucket < vault, is_validation], [VAULT, VALIDATION], default=TRAIN)


def development(table: pa.Table, rule: SplitRule) -> np.ndarray:
    """Return a mask of shape (n,): True where a row may be looked at before the gate."""
    return np.isin(parts(table, rule), (TRAIN, VALIDATION))
