"""By time: where training, validation and vault begin and end."""

import numpy as np

from contract.errors import Refused
from contract.strict import Strict
from methods.retrain.thresholds import RetrainLimits
from methods.split.event_times import MICROSECONDS
from methods.split.judged import enough_from
from methods.split.rule import SplitRule

VAULT_ROWS = 2_000  # rows that a paired bootstrap needs to see a gain of a hundredth of AUC


class Cuts(Strict):
    """By time: where validation and vault begin and earlier parts end, microseconds since 1970."""

    train_until: int
    validation_from: int
    validation_until: int
    vault_from: int


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
