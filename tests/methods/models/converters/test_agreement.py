"""The comparison finds the faults that plain rows hide."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from bundle import Tensors, Trees
from contract.errors import Refused
from methods.models.converters import check_agreement, hard_rows, sklearn_trees

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(400, 2))
FOREST = ExtraTreesRegressor(5, min_samples_leaf=3, random_state=0).fit(ROWS, ROWS.sum(axis=1))
MEMBER = sklearn_trees(FOREST)


def test_plain_rows_do_not_show_a_missing_cast() -> None:
    """The reason for hard rows: read as float64, this member agrees on every plain row."""
    uncast = Tensors("tree", MEMBER.arrays, MEMBER.meta | {"cast": "float64"})

    assert np.abs(Trees(uncast).batch(ROWS)[:, 0] - FOREST.predict(ROWS)).max() < 1e-14
    with pytest.raises(Refused, match="its converter does not know the library"):
        check_agreement(uncast, FOREST.predict, ROWS)


def test_missing_values_sent_the_wrong_way_are_found() -> None:
    nodes = MEMBER.arrays["nodes"].copy()
    inner = nodes["child"] != np.arange(len(nodes))
    nodes["feature"][inner] ^= 1 << 30
    turned = Tensors("tree", MEMBER.arrays | {"nodes": nodes}, MEMBER.meta)

    with pytest.raises(Refused):
        check_agreement(turned, FOREST.predict, ROWS)


def test_a_library_that_answers_nan_is_refused() -> None:
    with pytest.raises(Refused, match="nan"):
        check_agreement(MEMBER, lambda rows: np.full(len(rows), np.nan))


def test_another_number_of_scores_is_refused() -> None:
    with pytest.raises(Refused, match="the reader gives 1 scores, the library 2"):
        check_agreement(MEMBER, lambda rows: np.zeros((len(rows), 2)))


def test_hard_rows_stand_on_thresholds_and_are_the_same_for_a_seed() -> None:
    thresholds = set(MEMBER.arrays["nodes"]["threshold"].tolist())

    rows = hard_rows(MEMBER, ROWS, seed=4)

    on = np.isin(rows[~np.isnan(rows)], list(thresholds)).mean()
    assert 0.05 < on < 0.4
    assert np.array_equal(rows, hard_rows(MEMBER, ROWS, seed=4), equal_nan=True)
    assert not np.array_equal(rows, hard_rows(MEMBER, ROWS, seed=5), equal_nan=True)
