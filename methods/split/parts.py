"""Training, validation and hold-out rows (the vault), from a row's key and time alone.

The same rules serve exploration, preprocessing and split, so that no search looks at a row of the
vault before the gate does. As more rows come, rows move from the vault to training, and none moves
back to judge a model that learnt it. By hash the vault is the lowest buckets, and only so many as
the judgement needs. By time it is the newest rows, after a change those since its onset: rows that
the serving model has not learnt where there are enough, else rows that its judged twin has not.

Source: Kaufman et al., "Leakage in Data Mining", ACM TKDD 6(4), 2012; sections 3 and 4.
"""

import numpy as np
import pyarrow as pa

from methods.split.buckets import BUCKETS, buckets, key_texts, vault_buckets
from methods.split.cuts import Cuts, cuts
from methods.split.event_times import microseconds
from methods.split.judged import is_rarer
from methods.split.rule import SplitRule

# In the assignment's `part`; a row in a gap is not used, so that no label of an earlier part
# becomes known during a later one.
TRAIN, VALIDATION, VAULT, GAP = "train", "validation", "vault", "gap"


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
