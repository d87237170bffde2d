from collections.abc import Callable

import numpy as np
import pytest
from fixtures_models import Prepared, dataset_of

from contract.errors import Refused
from contract.store.documents import read_artifact
from methods.models.encoders.column import EncodingSettings
from methods.models.families.leaderboard import Leaderboard
from methods.models.metrics import metric_named
from methods.split.folds import fold_pairs
from tasks.selection.compare import compare_families
from tasks.selection.task import Inputs, Params, run

TIMED = EncodingSettings()


def board(families: tuple[str, ...], task: str = "binary", budget: float = 60.0) -> Leaderboard:
    dataset = dataset_of(600, task)
    return compare_families(
        dataset,
        fold_pairs(dataset.assignment, dataset.labelled, ordered=True),
        families,
        metric_named({"binary": "roc_auc"}.get(task, "rmse"), task),  # type: ignore[arg-type] # one of the three
        TIMED,
        forward=True,
        budget_seconds=budget,
        share=0.4,
        seed=0,
    )


def test_the_best_stands_first_and_the_dummy_is_always_there() -> None:
    found = board(("linear", "tree"))

    assert {entry.family for entry in found.entries} == {"linear", "tree", "dummy"}
    scores = [entry.score for entry in found.entries if entry.score is not None]
    assert scores == sorted(scores, reverse=True)


def test_a_loss_ranks_the_smallest_first() -> None:
    scores = [entry.score for entry in board(("linear", "tree"), "regression").entries]

    assert scores == sorted(score for score in scores if score is not None)


def test_every_candidate_is_compared_with_best_and_dummy_on_the_same_rows() -> None:
    best, *others = board(("linear", "tree")).entries

    assert best.to_best is None
    assert best.to_dummy is not None
    assert best.to_dummy.low > 0.0
    assert all(entry.to_best is not None and entry.to_best.value < 0.0 for entry in others)


def test_a_budget_that_is_gone_cuts_pairs_and_no_family() -> None:
    found = board(("linear", "tree"), budget=0.001)

    assert found.pairs == 1
    assert all(entry.score is not None for entry in found.entries)


def test_a_candidate_that_fails_says_why_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    from methods.models.families.trees import SingleTree

    def fail(*_: object) -> None:
        raise ValueError("no tree today")

    monkeypatch.setattr(SingleTree, "fit", fail)
    found = {entry.family: entry for entry in board(("linear", "tree")).entries}

    assert found["tree"].failure == "ValueError: no tree today"
    assert found["linear"].score is not None


@pytest.mark.slow
def test_the_stage_names_its_best(prepare: Callable[..., Prepared]) -> None:
    made = prepare(models={"budget": "2s", "candidates": ["linear", "tree"]})
    out = made.out("selection")

    found = run(Inputs(**made.given("schema", "assignment")), Params(), out)

    leaderboard = read_artifact(made.store, found.leaderboard, Leaderboard)
    assert (found.best, found.score) == (leaderboard.entries[0].family, found.scores[found.best])
    assert found.best.encode() in made.store.read(found.page)


def test_a_class_without_a_row_is_refused() -> None:
    dataset = dataset_of(400, "multiclass")
    one_class = np.where(dataset.truth == 2.0, 1.0, dataset.truth)
    changed = type(dataset)(dataset.schema, dataset.table, one_class, dataset.assignment)

    with pytest.raises(Refused, match="class 'top' of 'kind' has no labelled row in train"):
        changed.check_classes(changed.rows("train"))
