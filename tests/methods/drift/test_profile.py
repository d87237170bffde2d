"""The reference profile and the profile of a day."""

import json

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import KINDS, reference, served, world

from methods.drift.profile import ReferenceProfile, day_profile, merge_profiles
from methods.drift.reference import reference_profile


@pytest.fixture(scope="module")
def held() -> ReferenceProfile:
    return reference(rows=5_000)


def test_a_reference_is_the_same_after_json(held: ReferenceProfile) -> None:
    again = ReferenceProfile.model_validate_json(held.model_dump_json(exclude_defaults=True))

    assert again == held
    assert again.name == held.name


def test_a_reference_of_thirty_columns_takes_120_kilobytes() -> None:
    random = np.random.default_rng(0)
    numbers = {f"n{i}": random.normal(100, 15, 20_000) for i in range(24)}
    words = {f"c{i}": random.integers(0, 10**i, 20_000).astype(str) for i in range(1, 7)}
    columns = dict.fromkeys(numbers, "number") | dict.fromkeys(words, "category")

    content = reference_profile(
        pa.table(numbers | words),
        random.uniform(size=20_000),
        random.uniform(size=20_000),
        columns,
        {},
        np.arange(20_000) // 700,
        [(day, 700, 0.5, 0.4) for day in range(56)],
    )

    assert len(json.dumps(content, separators=(",", ":"))) <= 120_000


def test_importance_sums_to_one_and_is_never_negative() -> None:
    table, scores, losses = world(500, 0)

    content = reference_profile(
        table,
        scores,
        losses,
        {"heavy": "number", "third": "number", "noise": "number"},
        {"heavy": 0.3, "third": 0.1, "noise": -0.2},
        np.zeros(500, int),
        [],
    )

    held = ReferenceProfile.model_validate(content)
    assert [held.columns[name].importance for name in ("heavy", "third", "noise")] == [
        0.75,
        0.25,
        0,
    ]


def test_lengths_that_differ_are_refused() -> None:
    table, scores, losses = world(10, 0)

    with pytest.raises(ValueError, match="10 rows, 9 scores"):
        reference_profile(table, scores[:9], losses, {}, {}, np.zeros(10, int), [])


def test_a_column_that_did_not_come_is_absent_and_missing(held: ReferenceProfile) -> None:
    table, scores, _ = world(80, 0)

    found = day_profile(table.drop_columns(["kind"]), scores, held, "part")

    assert found.absent == ("kind",)
    assert found.columns["kind"].missing == 80
    assert set(found.columns) == {*KINDS, "score"}


def test_a_part_is_never_counted_twice(held: ReferenceProfile) -> None:
    day = served(held, 50, 1)

    with pytest.raises(ValueError, match="counted twice"):
        merge_profiles([day, day])


def test_profiles_of_unlike_references_do_not_add_up(held: ReferenceProfile) -> None:
    other = reference(rows=1_000, seed=4)

    with pytest.raises(ValueError, match="different references"):
        merge_profiles([served(held, 50, 1), served(other, 50, 2)])


def test_no_profile_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge_profiles([])


def test_a_day_is_the_same_after_json(held: ReferenceProfile) -> None:
    day = served(held, 50, 1)

    assert type(day).model_validate_json(day.model_dump_json()) == day


def test_a_column_that_moves_with_time_is_known_to_do_so() -> None:
    """A month that counts up is out of range of the past on every day, and no fault later on."""
    days = np.repeat(np.arange(40), 60)
    table = pa.table(
        {"ordinal": days.astype(float), "steady": np.random.default_rng(0).normal(size=2_400)}
    )

    held = ReferenceProfile.model_validate(
        reference_profile(
            table,
            np.zeros(2_400),
            np.zeros(2_400),
            {"ordinal": "number", "steady": "number"},
            {},
            days,
            [],
        )
    )

    assert held.columns["ordinal"].calm.out_of_range > 0.9
    assert held.columns["ordinal"].calm.is_constant
    assert held.columns["steady"].calm.out_of_range < 0.05
    assert not held.columns["steady"].calm.is_constant
