"""Can a small classifier tell today's rows from the reference's? It sees what no column shows alone.

Two columns that move together differently change no histogram. Each row's score comes from the folds
that did not hold it. Asked only where no label can tell, since the answer starts nothing by itself.
Source: Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; Rabanser et al.,
"Failing Loudly", NeurIPS 2019.
"""

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundle.arrays import Floats
from contract.decision import Multivariate
from methods.drift.histograms import to_numbers, to_texts
from methods.drift.profile import ReferenceProfile
from methods.tables.sampling import evenly_spaced

ROWS = 10_000  # of either side
FEWEST_ROWS = 200
FOLDS = 3
ROUNDS = 60
LIMIT = 0.55
NULL_AT_500 = 0.04  # the 99 % quantile of the area without drift, above 0.5, at 500 rows
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


def compare(
    reference: ReferenceProfile, before: pa.Table, now: pa.Table, seed: int
) -> Multivariate | None:
    """Return the cross-validated area under the curve; None where a side has under 200 rows.

    Args:
        reference: names the columns and spells their categories; dates and texts are left out,
            because time alone tells them apart.
        before: held-out rows of the champion, in time order.
        now: served rows.
        seed: of the folds.
    """
    names = [
        name
        for name, column in reference.columns.items()
        if column.grid.kind in {"number", "category", "boolean"}
        and name in before.column_names
        and name in now.column_names
    ]
    if not names or min(before.num_rows, now.num_rows) < FEWEST_ROWS:
        return None
    old, new = _matrix(reference, before, names), _matrix(reference, now, names)
    auc, gains = _classify(old, new, reference, names, seed)
    # The newest quarter of the reference against the rest: what weeks differ by anyway.
    cut = len(old) - len(old) // 4
    usual = _classify(old[:cut], old[cut:], reference, names, seed)[0]
    null = 0.5 + NULL_AT_500 * (500 / min(len(new), len(old))) ** 0.5
    return Multivariate(
        auc=round(auc, 4),
        limit=round(max(LIMIT, null, usual), 4),
        top=names[int(np.argmax(gains))] if gains.any() else None,
    )


def _classify(
    old: Floats, new: Floats, reference: ReferenceProfile, names: list[str], seed: int
) -> tuple[float, Floats]:
    rows = np.vstack([old, new])
    is_new = np.concatenate([np.zeros(len(old)), np.ones(len(new))])
    folds = np.random.default_rng(seed).integers(0, FOLDS, len(rows))
    categorical = [
        place for place, name in enumerate(names) if not reference.columns[name].grid.is_numeric
    ]
    settings = SETTINGS | {"min_data_in_leaf": max(20, len(rows) // 200), "seed": seed}
    scores = np.zeros(len(rows))
    gains = np.zeros(len(names))
    for fold in range(FOLDS):
        held = folds == fold
        data = lightgbm.Dataset(rows[~held], is_new[~held], categorical_feature=categorical)
        booster = lightgbm.train(settings, data, ROUNDS)
        scores[held] = booster.predict(rows[held])
        gains += booster.feature_importance("gain")
    return _area(scores, is_new), gains


def _area(scores: Floats, is_new: Floats) -> float:
    """Return the area under the ROC curve by ranks, ties shared."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    new = is_new.sum()
    old = len(is_new) - new
    return float((ranks[is_new == 1].sum() - new * (new + 1) / 2) / (new * old))


def _matrix(reference: ReferenceProfile, table: pa.Table, names: list[str]) -> Floats:
    """Return (n, columns): numbers as they are, categories by their place, unseen ones behind."""
    chosen = table.take(pa.array(evenly_spaced(table.num_rows, ROWS)))
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
