from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures_models import Prepared, dataset_of, problem_of

from contract.store.documents import read_artifact
from methods.models.families import TrainingPlan
from methods.models.families.leaderboard import Leaderboard, LeaderboardEntry
from methods.models.metrics import metric_named
from tasks.tuning.choose import choose_members
from tasks.tuning.plan import best_families, find_plan, search_pairs
from tasks.tuning.search import ScoredTrial
from tasks.tuning.task import Inputs, Params, run

LOG_LOSS = metric_named("log_loss", "binary")


def board(*families: str, spent: float = 0.0, budget: float = 1.0) -> Leaderboard:
    entries = [
        LeaderboardEntry(
            family=name,
            settings={},
            score=1.0 - 0.1 * place,
            seconds=0.1,
            iterations=0,
            to_best=None,
            to_dummy=None,
        )
        for place, name in enumerate(families)
    ]
    return Leaderboard(
        metric="roc_auc",
        forward=True,
        pairs=1,
        learn_rows=1,
        score_rows=1,
        budget_seconds=budget,
        spent_seconds=spent,
        entries=tuple(entries),
    )


def tried(
    number: int, predicted: np.ndarray, truth: np.ndarray, family: str = "tree"
) -> ScoredTrial:
    goodness = LOG_LOSS.goodness(LOG_LOSS.score(truth, predicted))
    return ScoredTrial(number, family, {}, 0, goodness, predicted, 0.1)


def test_the_dummy_is_searched_only_where_nothing_else_stands() -> None:
    assert best_families(board("dummy", "linear", "tree")) == ["linear", "tree"]
    assert best_families(board("dummy")) == ["dummy"]


@pytest.mark.slow
def test_the_search_keeps_to_its_budget(tmp_path: Path) -> None:
    found = find_plan(
        dataset_of(600), problem_of("p"), board("linear", "tree", budget=0.6), tmp_path / "j"
    )

    *before, _ = [trial.seconds for trial in found.tried]
    assert sum(before) < 0.6  # no trial begins when the budget is gone


def test_a_budget_that_is_gone_still_gives_a_plan(tmp_path: Path) -> None:
    found = find_plan(
        dataset_of(600), problem_of("p"), board("tree", "linear", spent=9.0), tmp_path / "j"
    )

    assert [member.family for member in found.plan.members] == ["tree"]
    assert len(found.tried) == 1


@pytest.mark.slow
def test_the_plan_is_at_least_as_good_as_the_defaults_on_validation(tmp_path: Path) -> None:
    found = find_plan(dataset_of(600), problem_of("p"), board("tree", "linear"), tmp_path / "j")

    assert found.gain >= 0.0
    assert (tmp_path / "j").stat().st_size > 0


def test_small_data_are_scored_by_their_folds_as_well() -> None:
    dataset = dataset_of(600)

    *folds, last = search_pairs(dataset, ordered=True)

    assert len(folds) == 3
    assert np.array_equal(last.score, dataset.rows("validation"))


def test_large_data_are_scored_on_validation_only() -> None:
    dataset = dataset_of(600)

    (pair,) = search_pairs(dataset, ordered=True, small_rows=100)

    assert np.array_equal(pair.train, dataset.rows("train"))


@pytest.mark.parametrize("ordered", [True, False])
def test_the_search_never_sees_the_vault(*, ordered: bool) -> None:
    dataset = dataset_of(600)
    vault = set(dataset.rows("vault").tolist())

    pairs = search_pairs(dataset, ordered=ordered)

    assert not any(vault & {*pair.train.tolist(), *pair.score.tolist()} for pair in pairs)


def test_an_ensemble_wins_where_members_err_apart() -> None:
    random = np.random.default_rng(0)
    margin = random.normal(size=600)
    truth = (random.random(600) < 1.0 / (1.0 + np.exp(-2.0 * margin))).astype(np.float64)
    noise = 1.5 * random.normal(size=600)
    said = [1.0 / (1.0 + np.exp(-2.0 * margin + sign * noise)) for sign in (1.0, -1.0)]

    trials = [tried(0, said[0], truth), tried(1, said[1], truth, "linear")]
    mixed = choose_members(trials, truth, np.arange(600), LOG_LOSS, may_mix=True)
    alone = choose_members(trials, truth, np.arange(600), LOG_LOSS, may_mix=False)

    assert len(mixed.members) == 2
    assert len(alone.members) == 1


def test_an_ensemble_that_wins_only_on_its_own_rows_is_left() -> None:
    random = np.random.default_rng(1)
    truth = (random.random(200) < 0.5).astype(np.float64)
    good = np.where(truth == 1.0, 0.9, 0.1)

    trials = [tried(0, good, truth), tried(1, random.random(200), truth, "linear")]
    found = choose_members(trials, truth, np.arange(200), LOG_LOSS, may_mix=True)

    assert [one.number for one, _ in found.members] == [0]


@pytest.mark.slow
def test_the_stage_makes_a_plan_that_reads_back(prepare: Callable[..., Prepared]) -> None:
    made = prepare(models={"budget": "2s"})
    leaderboard = made.out("selection").document("leaderboard", board("linear", "tree"))

    found = run(
        Inputs(**made.given("schema", "assignment"), leaderboard=leaderboard),
        Params(),
        made.out("tuning"),
    )

    made_plan = read_artifact(made.store, found.plan, TrainingPlan)
    assert (made_plan.score, found.trials > 0, found.journal is not None) == (
        found.score,
        True,
        True,
    )
