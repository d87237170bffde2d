"""The assignment: the part, the block and the fold of every prepared row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from contract.errors import Refused
from methods.split.buckets import buckets, key_texts, vault_buckets
from methods.split.cuts import cuts
from methods.split.event_times import MICROSECONDS, microseconds
from methods.split.judged import is_rarer
from methods.split.parts import TRAIN, VALIDATION, VAULT, parts_by_bucket, parts_by_time
from methods.split.rule import SplitRule

FOLDS = 5
FEW_ROWS = 60  # of train; fewer are cut into three folds, so that each still holds twenty
FEW_FOLDS = 3
CLASS_ROWS = 3  # one in each of train, validation and vault at least
PART_ROWS = 2  # a part of one row has no metric
# Blocks of the paired bootstrap: the longest of these units that gives the vault twenty of them.
BLOCKS = 20
UNITS = (86_400, 21_600, 3_600, 60, 1)


class Assignment:
    """Part, block and fold of every row, each of shape (n,), in the prepared table's order."""

    def __init__(
        self,
        part: np.ndarray,
        block: np.ndarray,
        fold: np.ndarray,
        vault_from: int | None,
        vault_buckets: int | None = None,
    ) -> None:
        self.part = part
        self.block = block
        self.fold = fold
        self.vault_from = vault_from
        """By time: where the vault begins, in microseconds since 1970."""
        self.vault_buckets = vault_buckets
        """By hash: how many of the lowest buckets are the vault."""

    def rows(self) -> dict[str, int]:
        """Return how many rows each part has."""
        return {name: int((self.part == name).sum()) for name in (TRAIN, VALIDATION, VAULT)}

    def table(self) -> pa.Table:
        """Return the assignment as it is written."""
        return pa.table(
            {
                "row": pa.array(np.arange(len(self.part)), pa.int64()),
                "part": pa.array(self.part.tolist(), pa.string()),
                "block": pa.array(self.block, pa.int32()),
                "fold": pa.array(self.fold, pa.int8()),
            }
        )


def assign(
    table: pa.Table, rule: SplitRule, target: np.ndarray, classes: Sequence[str]
) -> Assignment:
    """Give every row its part, block and fold.

    By time folds and blocks are stretches of time; by hash they are drawn from the key, folds with
    the classes in equal shares; no group is in two folds.

    Args:
        table: the prepared rows.
        rule: how they are split.
        target: (n,), a class's index or a number; for shares of classes only.
        classes: their names; empty for a regression.

    Raises:
        Refused: a part without a row, or a class too rare for every part.
    """
    if rule.by == "time":
        times = microseconds(table[rule.event_time])
        limits = cuts(times, rule, times[is_rarer(table, rule.target)])
        part = parts_by_time(times, limits)
        fold = _folds_in_order(part, np.argsort(times, kind="stable"))
        assignment = Assignment(part, _blocks(times, part), fold, limits.vault_from)
    else:
        texts = key_texts(table, rule.columns)
        bucket = buckets(texts, rule.salt)
        part = parts_by_bucket(bucket, rule)
        strata = target if classes and rule.by == "hash" else np.zeros(len(part))
        fold = _folds_by_hash(part, texts, rule, strata)
        assignment = Assignment(part, bucket, fold, None, vault_buckets(len(bucket), rule))
    _check(assignment, rule, target, classes)
    return assignment


def _fold_count(rows: int) -> int:
    return FEW_FOLDS if rows < FEW_ROWS else FOLDS


def _folds_in_order(part: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Cut train into stretches of equal length; a later fold is later in time."""
    fold = np.full(len(part), -1, dtype=np.int8)
    train = order[part[order] == TRAIN]
    fold[train] = np.arange(len(train)) * _fold_count(len(train)) // max(1, len(train))
    return fold


def _folds_by_hash(
    part: np.ndarray, texts: list[str], rule: SplitRule, strata: np.ndarray
) -> np.ndarray:
    """Assign train's rows to folds in the order of another hash, each stratum by itself."""
    fold = np.full(len(part), -1, dtype=np.int8)
    train = np.flatnonzero(part == TRAIN)
    count = _fold_count(len(train))
    draws = buckets(texts, f"fold:{rule.salt}")
    if rule.by == "group":
        fold[train] = draws[train] % count
        return fold
    order = train[np.lexsort((train, draws[train], strata[train]))]
    fold[order] = np.arange(len(order)) % count
    return fold


def _blocks(times: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Number periods whose rows have correlated errors: days, or shorter where the vault is short."""
    vault = times[part == VAULT]
    numbers = times // (UNITS[0] * MICROSECONDS)
    for unit in UNITS:
        if len(np.unique(vault // (unit * MICROSECONDS))) >= BLOCKS:
            numbers = times // (unit * MICROSECONDS)
            break
    # From the first block on, so that a second's number since 1970 fits into 32 bits.
    return np.asarray(numbers - numbers.min(), dtype=np.int32)


def _check(
    assignment: Assignment, rule: SplitRule, target: np.ndarray, classes: Sequence[str]
) -> None:
    rows = assignment.rows()
    few = {name: count for name, count in rows.items() if count < PART_ROWS}
    if few or rows[TRAIN] < FEW_FOLDS * PART_ROWS:
        sizes = ", ".join(f"{name} {count}" for name, count in rows.items())
        sentence = (
            f"{len(assignment.part)} labelled rows give the parts {sizes}; each needs at least "
            f"{PART_ROWS} rows, and train {FEW_FOLDS * PART_ROWS}. Collect more rows."
        )
        raise Refused(sentence)
    for code, name in enumerate(classes):
        of_class = target == code
        counts = {part: int((of_class & (assignment.part == part)).sum()) for part in rows}
        total = int(of_class.sum())
        # Of two classes each part needs both; of many, training needs each.
        needed = list(rows) if len(classes) == 2 else [TRAIN]  # noqa: PLR2004 - binary
        lacking = [part for part in needed if counts[part] == 0]
        if total < CLASS_ROWS or lacking:
            where = f", none of them in {lacking[0]}" if lacking and total >= CLASS_ROWS else ""
            sentence = (
                f"The class {name!r} has {total} rows{where}; it needs {CLASS_ROWS}, and one in "
                f"{' and '.join(needed)} under split.by: {rule.by}. Collect more, or merge it."
            )
            raise Refused(sentence)
