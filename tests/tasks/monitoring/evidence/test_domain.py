"""The classifier that tells today's rows from the reference's."""

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import reference, world

from methods.controller.policy import Policy
from methods.drift.profile import ReferenceProfile
from tasks.monitoring.evidence.domain import classify

pytestmark = pytest.mark.slow  # fits six small models each


@pytest.fixture(scope="module")
def held() -> ReferenceProfile:
    return reference(rows=4_000)


def test_rows_of_the_same_world_are_not_told_apart(held: ReferenceProfile) -> None:
    found = classify(held, world(2_000, 0)[0], world(1_000, 1)[0], seed=0, policy=Policy())

    assert found is not None
    assert found.auc < found.limit


def test_a_correlation_that_changed_is_seen_where_no_column_shows_it(
    held: ReferenceProfile,
) -> None:
    table = world(2_000, 1)[0]
    shuffled = np.random.default_rng(0).permutation(table.column("second").to_numpy())
    moved = table.set_column(table.column_names.index("second"), "second", pa.array(shuffled))

    found = classify(held, world(2_000, 0)[0], moved, seed=0, policy=Policy())

    assert found is not None
    assert found.auc >= found.limit
    assert found.top in {"heavy", "second"}


def test_an_unseen_category_is_a_value_like_any_other(held: ReferenceProfile) -> None:
    found = classify(
        held, world(2_000, 0)[0], world(2_000, 1, "new_category")[0], seed=0, policy=Policy()
    )

    assert found is not None
    assert (found.auc >= found.limit, found.top) == (True, "kind")


def test_few_rows_are_not_classified(held: ReferenceProfile) -> None:
    assert classify(held, world(199, 0)[0], world(2_000, 1)[0], seed=0, policy=Policy()) is None
    assert (
        classify(held, world(200, 0)[0].select([]), world(2_000, 1)[0], seed=0, policy=Policy())
        is None
    )
