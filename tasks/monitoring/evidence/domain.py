"""Can a small classifier tell today's rows from the reference's? It sees what no column shows alone.

Two columns that move together differently change no histogram. Each row is scored by the model that
was not fitted on it. Used only without labels, since the answer starts nothing by itself.
Source: Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; Rabanser et al.,
"Failing Loudly", NeurIPS 2019.
"""

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.metrics import roc_auc_score  # LightGBM imports scikit-learn: costs nothing more

from bundle.arrays import Floats
from contract.drift import Multivariate
from methods.controller.policy import Policy
from methods.drift.histograms import to_numbers, to_texts
from methods.drift.profile import ReferenceProfile
from methods.tables.sampling import evenly_spaced

FOLDS = 3
ROUNDS = 60
NULL_ROWS = 500  # at which the policy states what chance reaches
SETTINGS = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.1,
    "feature_fraction": 0.7,
    "is_unbalance": True,
    "num_threads": 1,
    "deterministic": True,
    "verbose": -1,
}


def classify(
    reference: ReferenceProfile, before: pa.Table, now: pa.Table, seed: int, policy: Policy
) -> Multivariate | None:
    """Return the cross-validated area under the curve; None where a side has too few rows.

    Args:
        reference: names the columns and spells their categories; dates and texts are left out,
            because time alone tells them apart.
        before: held-out rows of the champion, in time order.
        now: served rows.
        seed: of the folds.
        policy: rows and limits of the classifier.
    """
    names = [
        name
        for name, column in reference.columns.items()
        if column.grid.kind in {"number", "category", "boolean"}
        and name in before.column_names
        and name in now.column_names
    ]
    if not names or min(before.num_rows, now.num_rows) < policy.classifier_min_rows:
        return None
    old, new = (_matrix(reference, table, names, policy.classifier_rows) for table in (before, now))
    auc, gains = _cross_validate(old, new, reference, names, seed)
    # The newest quarter of the reference against the rest: what weeks differ by anyway.
    cut = len(old) - len(old) // 4
    usual = _cross_validate(old[:cut], old[cut:], reference, names, seed)[0]
    null = 0.5 + policy.classifier_null * (NULL_ROWS / min(len(new), len(old))) ** 0.5
    return Multivariate(
        auc=round(auc, 4),
        limit=round(max(policy.classifier_auc, null, usual), 4),
        top=names[int(np.argmax(gains))] if gains.any() else None,
    )


def _cross_validate(
    old: Floats, new: Floats, reference: ReferenceProfile, names: list[str], seed: int
) -> tuple[float, Floats]:
    rows = np.vstack([old, new])
    is_new = np.concatenate([np.zeros(len(old)), np.ones(len(new))])
    folds = np.random.default_rng(seed).integers(0, FOLDS, len(rows))
    categorical = [
        index for index, name in enumerate(names) if not reference.columns[name].grid.is_numeric
    ]
    settings = SETTINGS | {"min_data_in_leaf": max(20, len(rows) // 200), "seed": seed}
    scores = np.zeros(len(rows))
    gains = np.zeros(len(names))
    for fold in range(FOLDS):
        held_out = folds == fold
        data = lightgbm.Dataset(rows[~held_out], is_new[~held_out], categorical_feature=categorical)
        booster = lightgbm.train(settings, data, ROUNDS)
        scores[held_out] = booster.predict(rows[held_out])
        gains += booster.feature_importance("gain")
    return float(roc_auc_score(is_new, scores)), gains


def _matrix(reference: ReferenceProfile, table: pa.Table, names: list[str], most: int) -> Floats:
    """Return (n, columns): numbers as they are, categories by index, unseen ones after the last."""
    chosen = table.take(pa.array(evenly_spaced(table.num_rows, most)))
    columns = []
    for name in names:
        grid = reference.columns[name].grid
        if grid.is_numeric:
            columns.append(to_numbers(chosen.column(name), "number"))
            continue
        texts = to_texts(chosen.column(name))
        codes = pc.index_in(texts, value_set=pa.array(grid.levels, pa.string()))
        filled = pc.if_else(pc.is_null(texts), None, pc.fill_null(codes, len(grid.levels)))
        columns.append(filled.cast(pa.float64()).to_numpy())
    return np.column_stack(columns)
