"""The rows of the vault, and what a model, the champion or a constant predicts for them.

Champion and challenger predict the same rows through the same reader. The truth is coded by the
challenger's own contract, so a champion of another target or other classes cannot be compared.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bundle.arrays import Floats
from bundle.documents import Contract
from bundle.model import Model
from methods.columns.schema import Schema, target_vector
from methods.models.bootstrap import Scored
from methods.models.metrics import MetricDefinition
from methods.models.resampling import Blocks
from methods.split.folds import PreparedAssignment, Rows


@dataclass(frozen=True)
class Vault:
    """Labelled rows that no model has seen; `truth` and `blocks` are (n,), n may be 0.

    `training_target` is the truth of the rows that the challenger was trained on, (m,). `strata` is
    (n,) where rows were scored by different models, as of `methods.models.resampling.Sample`.
    """

    table: pa.Table
    truth: Floats
    blocks: Blocks
    training_target: Floats
    strata: Blocks | None = None


def vault_rows(table: pa.Table, assignment: PreparedAssignment, contract: Contract) -> Rows:
    """Return the positions of the vault's labelled rows in the prepared table, ascending."""
    labelled = ~np.isnan(target_vector(table, target_schema(contract)))
    return assignment.rows("vault", labelled)


def answers_alike(before: Contract, now: Contract) -> bool:
    """Tell whether two models answer the same question, so that their scores can be compared."""
    return (before.task, before.output.name, before.classes) == (
        now.task,
        now.output.name,
        now.classes,
    )


def open_vault(
    table: pa.Table,
    assignment: PreparedAssignment,
    contract: Contract,
    judged: Rows | None = None,
) -> Vault:
    """Take the vault's labelled rows out of the prepared table; with `judged` those of them alone."""
    truth = target_vector(table, target_schema(contract))
    labelled = ~np.isnan(truth)
    rows: Rows = assignment.rows("vault", labelled) if judged is None else judged
    training = np.concatenate([assignment.rows(part, labelled) for part in ("train", "validation")])
    return Vault(
        table=table.take(pa.array(rows)),
        truth=truth[rows],
        blocks=assignment.block[rows],
        training_target=truth[training],
    )


def target_schema(contract: Contract) -> Schema:
    """Return the target's part of a schema, with the classes of the model's contract."""
    return Schema(
        key=contract.key,
        event_time=contract.event_time,
        group=None,
        target=contract.output.name,
        task=contract.task,
        classes=tuple(str(label) for label in contract.classes),
        columns=(),
    )


def predict(model: Model, vault: Vault) -> Scored:
    """Return the model's predictions for the vault's rows, with its threshold of decisions."""
    threshold = model.document.threshold
    return Scored(model.batch(vault.table), 0.5 if threshold is None else threshold)


def predict_dummy(metric: MetricDefinition, contract: Contract, vault: Vault) -> Scored:
    """Return the best constant prediction that follows from the training rows.

    The base rates, or the mean (the median for the absolute error). Where the metric needs
    decisions of a binary problem, the better of always yes and always no.
    """
    rows = len(vault.truth)
    if contract.task == "regression":
        middle = (
            np.median(vault.training_target)
            if metric.name == "mae"
            else np.mean(vault.training_target)
        )
        return Scored(np.full(rows, float(middle)))
    counts = np.bincount(vault.training_target.astype(np.int64), minlength=len(contract.classes))
    shares = counts / max(1, counts.sum())
    if contract.task == "multiclass":
        return Scored(np.tile(shares, (rows, 1)))
    constant = np.full(rows, float(shares[1]))
    if not metric.decides:
        return Scored(constant)
    always, never = Scored(constant, 0.0), Scored(constant, 1.0 + float(shares[1]))
    scores = [
        metric.score(
            vault.training_target,
            np.full(len(vault.training_target), float(shares[1])),
            constant_answer.threshold,
        )
        for constant_answer in (always, never)
    ]
    return always if np.nan_to_num(scores[0]) >= np.nan_to_num(scores[1]) else never
