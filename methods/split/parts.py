"""Training, validation and hold-out rows (the vault), from a row's key and time alone.

The same rules serve exploration, preprocessing and split, so that nothing looks at a row of the
vault before the gate does. By hash a row's part never changes. By time the vault is the newest
rows; as newer rows come, rows move from it to training, and none ever moves back: the cut never
lies before the one under which the serving model was trained (`not_before`).

Source: Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012; sections 3 and 4.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.canonical_json import sha256
from contract.errors import Refused
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.earlier_runs import vault_of_champion
from contract.strict import Strict
from methods.columns.schema import key_columns

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
    vault: float
    """Share of the rows, in (0, 1)."""
    validation: float
    """Share of the rows by hash, of those before the vault by time; in (0, 1)."""
    gap_seconds: float = 0.0
    window_seconds: float | None = None
    """By time: a vault need not reach back further than this (four verdict windows)."""
    salt: str
    not_before: int | None = None
    """By time: where the serving model's vault began, in microseconds since 1970."""


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
    not_before = vault_of_champion(store, run) if problem.split_by == "time" else None
    return split_rule_from(problem, run.salt, not_before)


def split_rule_from(problem: Problem, salt: str, not_before: int | None) -> SplitRule:
    """Return the problem's rule with what a run adds to it."""
    group = problem.split.group
    return SplitRule(
        by=problem.split_by,
        columns=(group,) if group else key_columns(problem),
        event_time=problem.main_source.event_time,
        vault=problem.split.vault,
        validation=problem.split.validation,
        gap_seconds=problem.split.gap.total_seconds(),
        window_seconds=4 * problem.monitoring.verdict_window.total_seconds(),
        salt=salt,
        not_before=not_before,
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


def cuts(times: np.ndarray, rule: SplitRule) -> Cuts:
    """Return where the parts begin and end in time.

    The vault holds the newest rows: at most the share `vault`, at most the window, and at least
    2,000 rows or the share, whichever is less. All three limits move forward as newer rows come.

    Args:
        times: of the labelled rows, int64 microseconds, shape (n,), in any order.
        rule: with `by` "time".

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
    if rule.not_before is not None:
        vault_from = max(vault_from, rule.not_before)
    if vault_from > ordered[-1]:
        sentence = (
            "The window ends before the serving model's vault begins, so that model has learned "
            "from every row in it; choose a later `window_end`."
        )
        raise Refused(sentence)
    return _cuts_before(ordered, vault_from, rule)


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
        return parts_by_time(times, cuts(times, rule))
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


def parts_by_bucket(bucket: np.ndarray, rule: SplitRule) -> np.ndarray:
    """Return the part of every bucket, shape (n,): the vault lowest, then validation, then train.

    The limits depend on nothing but the shares, so that a bucket always keeps its part.
    """
    vault = round(rule.vault * BUCKETS)
    validation = vault + round(rule.validation * BUCKETS)
    return np.select([bucket < vault, bucket < validation], [VAULT, VALIDATION], default=TRAIN)


def development(table: pa.Table, rule: SplitRule) -> np.ndarray:
    """Return a mask of shape (n,): True where a row may be looked at before the gate."""
    return np.isin(parts(table, rule), (TRAIN, VALIDATION))
