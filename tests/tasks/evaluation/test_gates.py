"""Each gate three times: it passes, it refuses, it cannot be judged and so refuses."""

import numpy as np
import pyarrow as pa
import pytest
from fixtures_vault import BROKEN, ROWS, scored, vault

from bundle.documents import Contract
from methods.models.bootstrap import Scored
from methods.models.metrics import metric_named
from tasks.evaluation import gates
from tasks.evaluation.vault import Vault, predict_dummy


def test_rows_are_judged_where_there_are_some() -> None:
    assert gates.check_rows(vault()).passed is True


def test_an_empty_vault_cannot_be_judged() -> None:
    check = gates.check_rows(vault(0))

    assert (check.passed, "no labelled row" in check.why) == (None, True)


def minimum(name: str, limit: float, new: Scored) -> gates.Check:
    return gates.check_minimum(name, limit, "binary", vault(), new)


def test_a_minimum_is_reached() -> None:
    assert minimum("roc_auc", 0.6, scored(1.0)).passed is True
    assert minimum("log_loss", 0.8, scored(1.0)).passed is True


def test_a_minimum_is_missed() -> None:
    assert minimum("roc_auc", 0.95, scored(1.0)).passed is False
    assert minimum("log_loss", 0.1, scored(1.0)).passed is False


@pytest.mark.parametrize("name", ["rmse", "no such metric"])
def test_a_minimum_of_an_unknown_metric_cannot_be_judged(name: str) -> None:
    assert minimum(name, 0.5, scored(1.0)).passed is None


def test_a_minimum_of_a_broken_model_cannot_be_judged() -> None:
    assert minimum("roc_auc", 0.5, BROKEN).passed is None
    assert minimum("log_loss", 0.5, BROKEN).passed is None


def slice_check(column: str, new: Scored, old: Scored, rows: int = ROWS) -> gates.Check:
    (check,) = gates.check_slices((column,), "binary", vault(rows), new, old)
    return check


def test_no_slice_is_worse() -> None:
    assert slice_check("origin", scored(2.0), scored(1.0)).passed is True


def test_a_slice_that_is_served_worse_is_refused() -> None:
    rows_of_vault = vault()
    better, worse = scored(2.0).predicted, scored(2.0).predicted.copy()
    is_oslo = np.array(rows_of_vault.table["origin"].to_pylist()) == "oslo"
    worse[is_oslo] = 1.0 - worse[is_oslo]

    check = slice_check("origin", Scored(worse), Scored(better))

    assert (check.passed, "origin = 'oslo'" in check.why) == (False, True)


def test_a_slice_of_an_absent_column_cannot_be_judged() -> None:
    assert slice_check("nowhere", scored(2.0), scored(1.0)).passed is None


def test_slices_of_few_rows_cannot_be_judged() -> None:
    check = slice_check("origin", scored(2.0, rows=150), scored(1.0, rows=150), rows=150)

    assert (check.passed, "has 200 rows" in check.why) == (None, True)


def test_slices_of_a_broken_model_cannot_be_judged() -> None:
    assert slice_check("origin", BROKEN, scored(1.0)).passed is None


def contract(task: str, classes: tuple[str, ...], positive: str | None) -> Contract:
    return Contract.model_validate(
        {
            "problem": "p",
            "task": task,
            "columns": [{"name": "x", "type": "number"}],
            "output": {"name": "y"},
            "classes": classes,
            "positive": positive,
        }
    )


def test_the_dummy_is_the_best_constant_of_its_metric() -> None:
    truth = np.array([0.0, 0.0, 0.0, 1.0])
    rows_of_vault = Vault(pa.table({"x": [1, 2]}), np.zeros(2), np.arange(2), truth)
    binary = contract("binary", ("n", "y"), "y")

    always = predict_dummy(metric_named("f1", "binary"), binary, rows_of_vault)
    never = predict_dummy(metric_named("accuracy", "binary"), binary, rows_of_vault)
    shares = predict_dummy(
        metric_named("log_loss", "multiclass"),
        contract("multiclass", ("n", "y"), None),
        rows_of_vault,
    )

    assert (always.predicted >= always.threshold).all()
    assert not (never.predicted >= never.threshold).any()
    assert shares.predicted.tolist() == [[0.75, 0.25]] * 2


def test_the_dummy_of_a_value_is_its_mean_or_its_median() -> None:
    rows_of_vault = Vault(
        pa.table({"x": [1]}), np.zeros(1), np.arange(1), np.array([1.0, 2.0, 9.0])
    )
    value = contract("regression", (), None)

    means = [
        predict_dummy(metric_named(name, "regression"), value, rows_of_vault).predicted[0]
        for name in ("rmse", "mae")
    ]

    assert means == [4.0, 2.0]
