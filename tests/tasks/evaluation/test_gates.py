"""Each gate three times: it passes, it refuses, it cannot be judged and so refuses."""

import numpy as np
import pyarrow as pa
import pytest

from bundle.documents import Contract
from methods.models.bootstrap import Scored
from methods.models.metrics import metric_named
from tasks.evaluation import gates
from tasks.evaluation.vault import Vault, predict_dummy

AUC = metric_named("roc_auc", "binary")
ROWS = 1000


def vault(rows: int = ROWS, blocks: int = 50) -> Vault:
    random = np.random.default_rng(0)
    truth = (random.random(rows) < 0.4).astype(np.float64)
    table = pa.table(
        {
            "origin": [
                ["oslo", "bergen", "rare"][min(2, i % 11)] if i % 11 < 3 else "oslo"
                for i in range(rows)
            ]
        }
    )
    return Vault(table, truth, np.arange(rows) * blocks // max(1, rows), truth)


def scored(strength: float, seed: int = 1, rows: int = ROWS) -> Scored:
    """A calibrated-looking answer whose log-odds are `strength` in the right direction, and noise."""
    truth = vault(rows).truth
    noise = np.random.default_rng(seed).normal(size=rows)
    return Scored(1.0 / (1.0 + np.exp(-(strength * (truth - 0.4) + noise))))


NOTHING = Scored(np.full(ROWS, 0.4))
BROKEN = Scored(np.full(ROWS, np.nan))


def test_rows_are_judged_where_there_are_some() -> None:
    assert gates.check_rows(vault()).passed is True


def test_an_empty_vault_cannot_be_judged() -> None:
    check = gates.check_rows(vault(0))

    assert (check.passed, "no labelled row" in check.why) == (None, True)


def dummy_check(new: Scored, rows_of_vault: Vault) -> gates.Compared:
    dummy = Scored(np.full(len(rows_of_vault.truth), 0.4))
    return gates.check_dummy(AUC, rows_of_vault, new, dummy, confidence=0.95, seed=0)


def test_a_useful_model_beats_the_dummy() -> None:
    assert dummy_check(scored(1.0), vault()).check.passed is True


def test_a_useless_model_is_refused() -> None:
    check = dummy_check(scored(0.0), vault()).check

    assert (check.passed, "look at the columns" in check.why) == (False, True)


@pytest.mark.parametrize(
    ("new", "rows_of_vault"),
    [(BROKEN, vault()), (scored(1.0), vault(blocks=3)), (Scored(np.empty(0)), vault(0))],
)
def test_what_cannot_be_compared_with_the_dummy_is_not_let_in(
    new: Scored, rows_of_vault: Vault
) -> None:
    assert dummy_check(new, rows_of_vault).check.passed is None


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


def champion_check(
    new: Scored,
    old: Scored,
    rule: str = "superior",
    margin: float = 0.0,
    rows_of_vault: Vault | None = None,
) -> gates.Check:
    return gates.check_champion(
        AUC,
        rows_of_vault or vault(),
        new,
        old,
        rule=rule,  # type: ignore[arg-type] # one of the rules
        margin=margin,
        confidence=0.95,
        seed=0,
    ).check


def test_a_better_challenger_is_promoted() -> None:
    assert champion_check(scored(2.0), scored(1.0)).passed is True


def test_a_worse_or_equal_challenger_is_refused() -> None:
    assert champion_check(scored(1.0), scored(2.0)).passed is False
    assert champion_check(scored(1.0), scored(1.0)).passed is False


def test_a_gain_below_the_margin_is_refused() -> None:
    assert champion_check(scored(2.0), scored(1.0), margin=0.4).passed is False


@pytest.mark.parametrize("rows_of_vault", [vault(blocks=4), vault(0)])
def test_too_few_blocks_cannot_tell_two_models_apart(rows_of_vault: Vault) -> None:
    rows = len(rows_of_vault.truth)
    new, old = scored(2.0, rows=rows), scored(1.0, rows=rows)

    check = champion_check(new, old, rows_of_vault=rows_of_vault)

    assert (check.passed, "5 blocks are needed" in check.why) == (None, True)


def test_a_champion_that_says_nonsense_cannot_be_compared() -> None:
    assert champion_check(scored(2.0), BROKEN).passed is None


def test_a_refresh_need_not_be_better() -> None:
    """The same model with a little noise: no gain, and no loss beyond the margin."""
    new, old = Scored(scored(2.0).predicted + 1e-6), scored(2.0)

    assert champion_check(new, old).passed is False
    assert champion_check(new, old, rule="non-inferior", margin=0.01).passed is True


def test_a_refresh_that_is_worse_is_refused() -> None:
    assert champion_check(scored(1.0), scored(2.0), rule="non-inferior").passed is False


@pytest.mark.parametrize(
    ("reason", "has_champion", "rule"),
    [
        ("nightly", True, "superior"),
        ("age", True, "non-inferior"),
        ("prior", True, "non-inferior"),
        ("age", False, "first"),
    ],
)
def test_the_rule_follows_the_reason(reason: str, has_champion: bool, rule: str) -> None:
    assert gates.rule_for(reason, has_champion=has_champion) == rule


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


def calibrated(stretch: float) -> Scored:
    """Answers whose log-odds are `stretch` times the true ones."""
    truth = vault().truth
    margin = 1.2 * (truth - 0.5) + np.random.default_rng(2).normal(size=ROWS) - 0.4
    return Scored(1.0 / (1.0 + np.exp(-stretch * 1.2 * margin)))


def test_probabilities_that_mean_what_they_say_pass() -> None:
    assert gates.check_calibration(vault(), calibrated(1.0), None).passed is True


def test_over_confident_probabilities_are_refused() -> None:
    assert gates.check_calibration(vault(), calibrated(3.0), None).passed is False


def shifted(offset: float) -> Scored:
    """Answers whose log-odds are all too high by `offset`."""
    right = calibrated(1.0).predicted
    return Scored(1.0 / (1.0 + np.exp(-(np.log(right / (1.0 - right)) + offset))))


def test_a_right_slope_around_a_wrong_mean_is_refused() -> None:
    found = gates.check_calibration(vault(), shifted(1.0), None)

    assert found.passed is False
    assert "costs" in found.why


def test_what_is_off_and_costs_little_passes() -> None:
    assert gates.check_calibration(vault(), calibrated(0.7), None).passed is True


def test_a_slope_nearer_to_one_than_the_champions_passes() -> None:
    assert gates.check_calibration(vault(), calibrated(3.0), calibrated(5.0)).passed is True
    assert gates.check_calibration(vault(), calibrated(5.0), calibrated(3.0)).passed is False


@pytest.mark.parametrize("new", [NOTHING, BROKEN])
def test_a_slope_that_cannot_be_fitted_is_not_let_in(new: Scored) -> None:
    assert gates.check_calibration(vault(), new, None).passed is None


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
