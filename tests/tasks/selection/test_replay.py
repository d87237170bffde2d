from collections.abc import Callable

import pytest
from fixtures_models import Prepared

from methods.models.families.leaderboard import Leaderboard, LeaderboardEntry
from tasks.selection.task import Inputs, Params, run

BOARD = Leaderboard(
    metric="roc_auc",
    forward=True,
    pairs=1,
    learn_rows=100,
    score_rows=50,
    budget_seconds=60.0,
    spent_seconds=20.0,
    entries=(
        LeaderboardEntry(
            family="tree",
            settings={"depth": 3},
            score=0.7,
            seconds=1.0,
            iterations=0,
            to_best=None,
            to_dummy=None,
        ),
    ),
)


@pytest.mark.slow
def test_what_was_compared_before_is_handed_on(prepare: Callable[..., Prepared]) -> None:
    made = prepare(rows=200)
    stored = made.out("selection").document("leaderboard", BOARD)
    again = made.with_replay(made.out("tuning").document("plan", {"unread": True}), stored)

    found = run(Inputs(**again.given("schema", "assignment")), Params(), made.out("selection"))

    assert found.leaderboard.sha256 == stored.sha256
    assert found.best == "tree"
