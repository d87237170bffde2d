"""The scores by which a challenger and the champion are judged, where these are not their own answers.

A challenger is judged by the recipe's forward scores, and ships as the same recipe made from more
rows. A champion counts on rows that it has not learnt; on others its own twin stands in.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bundle.model import Model
from bundle.remote import read_model
from contract.errors import InvalidRequest, NotFound, Refused
from contract.formatting import format_digest
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.earlier_runs import learnt_by_champion
from contract.verdict import Check
from methods.models.bootstrap import Scored
from methods.retrain.thresholds import RetrainLimits
from methods.retrain.twin_agreement import measure_agreement
from methods.split.event_times import microseconds
from methods.split.folds import Rows
from tasks.evaluation.vault import Vault, answers_alike, predict
from tasks.evaluation.verdict import Baseline

SAME_SCORE = 1e-9  # relative above 1: what a bundle read back may differ by


@dataclass(frozen=True)
class JudgedScores:
    """Forward scores by row, ascending; n rows."""

    rows: Rows
    step: Rows
    scored: Scored

    @property
    def newest(self) -> Rows:
        """Return the indices of the newest step's rows."""
        return np.flatnonzero(self.step == self.step.max())


def read_scores(table: pa.Table, vault: Rows) -> JudgedScores:
    """Read training's forward scores.

    Raises:
        InvalidRequest: they are of rows that are not in the vault.
    """
    rows = table["row"].to_numpy()
    order = np.argsort(rows, kind="stable")
    if len(rows) == 0 or len(np.unique(rows)) < len(rows) or not np.isin(rows, vault).all():
        sentence = (
            f"The {len(rows)} forward scores are not of rows of the vault, each once; scores, split "
            "and prepared table must come from one run."
        )
        raise InvalidRequest(sentence)
    predicted = np.array(table["score"].to_pylist(), dtype=np.float64)[order]
    threshold = np.asarray(table["threshold"].to_numpy(), dtype=np.float64)[order]
    step = table["step"].to_numpy().astype(np.int64)[order]
    return JudgedScores(rows[order], step, Scored(predicted, threshold))


def check_twin(vault: Vault, judged: JudgedScores, twin: Model) -> Check:
    """Are the judged scores of the newest rows those of the twin that is kept?"""
    newest = judged.newest
    answers = twin.batch(vault.table.take(pa.array(newest)))
    written = judged.scored.predicted[newest]
    largest = float(np.max(np.abs(answers - written) / np.maximum(1.0, np.abs(written))))
    passed = largest <= SAME_SCORE  # NaN compares false
    why = f"the twin answers the {len(newest)} newest judged rows as the scores say"
    if not passed:
        why = (
            f"the twin answers the newest judged rows otherwise than the scores, by up to {largest:.2g}; "
            "run the training again"
        )
    return Check(name="twin", passed=passed, why=f"{why}.", limit=SAME_SCORE)


def check_agreement(
    vault: Vault,
    judged: JudgedScores,
    shipped: Model,
    refit_change: float | None,
    limits: RetrainLimits,
) -> Check:
    """Does the model that would serve answer as the recipe that was judged?"""
    newest = judged.newest
    if refit_change is None:
        why = "only one refit scored the rows, so that nobody knows how much two differ; wait for more."
        return Check(name="agreement", passed=None, why=why)
    found = measure_agreement(
        shipped.batch(vault.table.take(pa.array(newest))),
        judged.scored.predicted[newest],
        refit_change,
        limits,
        are_values=shipped.contract.task == "regression",
    )
    unit = " standard deviations" if shipped.contract.task == "regression" else ""
    why = (
        f"on {len(newest)} of the newest rows the model that would serve differs from its judged twin by "
        f"{found.found:.3g}{unit} (median); {found.limit:.3g} is allowed, {limits.agreement:g} times "
        "what two refits of the recipe differ by on rows that the later one has learnt"
    )
    end = "." if found.holds else ": what was judged says little of it."
    return Check(
        name="agreement", passed=found.holds, why=why + end, found=found.found, limit=found.limit
    )


@dataclass(frozen=True)
class StandIn:
    """The champion's scores where its own judged twin stands in for it on some rows."""

    by_twin: NDArray[np.bool_] | None = None
    """Which rows of the vault these are, (n,); None: none."""

    scored: Scored | None = None
    """None: the champion's own answers count on every row."""
    digest: str | None = None
    rows: int = 0
    checks: tuple[Check, ...] = ()


def find_stand_in(  # noqa: PLR0917 - all that is compared
    store: Store,
    problem: Problem,
    run: Run,
    vault: Vault,
    champion: Baseline | None,
    model: Model,
    cache: Path,
) -> StandIn:
    """Let the champion's twin stand in on rows that the champion has learnt.

    Without a time the champion has learnt the vault of its own run: its twin stands in everywhere.
    """
    if champion is None or champion.model is None or len(vault.truth) == 0:
        return StandIn()
    learnt = learnt_by_champion(store, run, by="hash")
    if learnt.twin is None or not answers_alike(champion.model.contract, model.contract):
        return StandIn()
    by_twin = np.ones(len(vault.truth), dtype=bool)
    event_time = problem.main_source.event_time
    if problem.split_by == "time" and learnt.until is not None:
        by_twin = microseconds(vault.table[event_time]) < learnt.until
    rows = int(by_twin.sum())
    if rows == 0:
        return StandIn()
    try:
        twin = read_model(store, run.name, learnt.twin, cache)
    except (NotFound, Refused) as error:
        why = f"the champion's judged twin cannot be read, and nothing else can stand in: {error}"
        return StandIn(checks=(Check(name="stand-in", passed=None, why=why),))
    own, other = predict(champion.model, vault), predict(twin, vault)
    mask = by_twin if own.predicted.ndim == 1 else by_twin[:, None]
    scored = Scored(
        np.where(mask, other.predicted, own.predicted),
        np.where(by_twin, other.threshold, own.threshold),
    )
    why = (
        f"the champion has learnt {rows} of the {len(vault.truth)} rows; there its own judged twin "
        f"{format_digest(learnt.twin)} stands in."
    )
    check = Check(name="stand-in", passed=True, why=why, found=rows)
    return StandIn(by_twin, scored, learnt.twin, rows, (check,))


def strata_of(judged: JudgedScores | None, stand_in: StandIn) -> Rows | None:
    """Return a number for each row, equal where one model of each side scored; None: everywhere.

    Each refit has scores of its own scale, and so has the champion's twin: ranks among rows of
    different ones would measure the change of scale.
    """
    if judged is None and stand_in.by_twin is None:
        return None
    step = np.int64(0) if judged is None else judged.step
    by_twin = np.int64(0) if stand_in.by_twin is None else stand_in.by_twin
    return np.asarray(2 * step + by_twin, dtype=np.int64)
