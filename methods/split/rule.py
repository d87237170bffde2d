"""The rule that a run splits by: the problem's shares, and what the serving model has learnt."""

from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.earlier_runs import Learnt, learnt_by_champion
from contract.strict import Strict
from methods.columns.schema import key_columns
from methods.split.event_times import MICROSECONDS

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
