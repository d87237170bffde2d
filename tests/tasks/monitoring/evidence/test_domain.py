"""The classifier that separates today's rows from the reference's."""

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import reference, world

from methods.controller.policy import Policy
from methods.drift.profile import ReferenceProfile
from tasks.monitoring.evidence.domain import classify

pytestmark = pytest.mark.slow  # fits six small models each


@pytest.fixture(scope="module")
def profile() -> ReferenceProfile:
    return reference(rows=4_000)


def test_rows_of_the_same_world_are_not_separated(profile: ReferenceProfile) -> None:
    result = classify(profile, world(2_000, 0)[0], world(1_000, 1)[0], seed=0, policy=Policy())

    assert result is not None
    assert result.auc < result.limit


def test_a_correlation_that_changed_is_seen_where_no_column_shows_it(
    profile: ReferenceProfile,
) -> None:
    table = world(2_000, 1)[0]
    shuffled = np.random.default_rng(0).permutation(table.column("second").to_numpy())
    moved = table.set_column(table.column_names.index("second"), "second", pa.array(shuffled))

    result = classify(profile, world(2_000, 0)[0], moved, seed=0, policy=Policy())

    assert result is not None
    assert result.auc >= result.limit
    assert result.top in {"heavy", "second"}


def test_an_unseen_category_is_a_value_like_any_other(profile: ReferenceProfile) -> None:
    result = classify(
        profile, world(2_000, 0)[0], world(2_000, 1, "new_category")[0], seed=0, policy=Policy()
    )

    assert result is not None
    assert (result.auc >= result.limit, result.top) == (True, "kind")


def test_few_rows_are_not_classified(profile: ReferenceProfile) -> None:
    assert classify(profile, world(199, 0)[0], world(2_000, 1)[0], seed=0, policy=Policy()) is None
    assert (
        classify(profile, world(200, 0)[0].select([]), world(2_000, 1)[0], seed=0, policy=Policy())
        is None
    )
