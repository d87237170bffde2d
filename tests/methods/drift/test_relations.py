"""How columns move together: sums that add up, and what breaks them."""

from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from methods.drift import quality
from methods.drift.limits import QualityLimits
from methods.drift.profile import DayProfile, ReferenceProfile, day_profile, merge_profiles
from methods.drift.reference import reference_profile
from methods.drift.relations import correlations, kept_share

check = partial(quality.check, limits=QualityLimits())
KINDS = {
    "base": "number",
    "like": "number",
    "flag": "boolean",
    "kind": "category",
    "alone": "number",
}


def rows(n: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    random = np.random.default_rng(seed)
    base = random.normal(size=n)
    like = 0.8 * base + 0.6 * random.normal(size=n)
    like[random.random(n) < 0.1] = np.nan
    columns = {
        "base": base,
        "like": like,
        "flag": base + random.normal(size=n) > 0,
        "kind": [f"k{min(3, int(abs(value) * 2))}" for value in base],
        "alone": random.normal(size=n),
    }
    return pa.table(columns), 1 / (1 + np.exp(-np.abs(base)))


@pytest.fixture(scope="module")
def held() -> ReferenceProfile:
    table, scores = rows(6_000, 0)
    content = reference_profile(
        table,
        scores,
        np.zeros(6_000),
        KINDS,
        {},
        np.arange(6_000) // 500,
        [],  # type: ignore[arg-type] # kinds
    )
    return ReferenceProfile.model_validate(content)


def served(held: ReferenceProfile, n: int, seed: int, **changed: object) -> DayProfile:
    table, scores = rows(n, seed)
    for name, change in changed.items():
        values = change(table.column(name).to_numpy(zero_copy_only=False))  # type: ignore[operator] # a function
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return day_profile(table, scores, held, f"part {seed}")


def found(held: ReferenceProfile, day: DayProfile) -> list[tuple[str, str | None]]:
    return [(fault.check, fault.column) for fault in check(held, day)]


def test_pairs_that_move_together_are_found_and_others_not(held: ReferenceProfile) -> None:
    assert held.relations is not None
    pairs = {frozenset({pair.one, pair.other}): pair.correlation for pair in held.relations.pairs}

    assert pairs[frozenset({"base", "like"})] == pytest.approx(0.79, abs=0.03)
    assert frozenset({"base", "flag"}) in pairs
    assert "alone" not in held.relations.columns


def test_sums_of_parts_are_those_of_the_whole(held: ReferenceProfile) -> None:
    table, scores = rows(900, 5)
    cuts = [0, 200, 210, 900]
    parts = [
        day_profile(table.slice(a, b - a), scores[a:b], held, f"{a}") for a, b in pairwise(cuts)
    ]

    merged = merge_profiles(parts)

    assert merged.relations == day_profile(table, scores, held, "whole").relations
    assert merged.features == day_profile(table, scores, held, "whole").features


def test_the_correlation_is_that_of_the_ranks(held: ReferenceProfile) -> None:
    assert held.relations is not None
    table, scores = rows(3_000, 6)
    day = day_profile(table, scores, held, "part")
    names = [(pair.one, pair.other) for pair in held.relations.pairs]
    at = next(i for i, pair in enumerate(names) if set(pair) == {"base", "like"})
    values = np.array([table.column("base").to_numpy(), table.column("like").to_numpy()])
    ranks = values[:, np.isfinite(values).all(axis=0)].argsort().argsort()

    assert correlations(day.relations)[at] == pytest.approx(np.corrcoef(ranks)[0, 1], abs=0.01)


@pytest.mark.parametrize("n", [200, 2_000])
def test_a_quiet_day_is_no_fault(held: ReferenceProfile, n: int) -> None:
    assert [found(held, served(held, n, seed)) for seed in range(1, 11)] == [[]] * 10


@pytest.mark.parametrize("n", [300, 3_000])
def test_a_sign_that_turned_names_its_column(held: ReferenceProfile, n: int) -> None:
    day = served(held, n, 1, base=lambda x: -x)

    assert found(held, day) == [("relation", "base")]
    assert "its sign turned" in check(held, day)[0].sentence


def test_rows_that_are_mixed_in_one_column_name_it(held: ReferenceProfile) -> None:
    day = served(held, 2_000, 1, like=lambda x: np.random.default_rng(2).permutation(x))

    assert found(held, day) == [("relation", "like")]
    assert "its rows are mixed" in check(held, day)[0].sentence


def test_noise_that_was_added_is_seen(held: ReferenceProfile) -> None:
    noise = np.random.default_rng(3).normal(size=2_000)

    (fault,) = check(held, served(held, 2_000, 1, base=lambda x: x + noise))

    assert (fault.check, fault.column) == ("relation", "base")
    assert "it is noisy" in fault.sentence


def test_columns_that_were_all_mixed_are_one_fault(held: ReferenceProfile) -> None:
    random = np.random.default_rng(4)
    mixed = dict.fromkeys(("base", "like", "flag", "kind"), random.permutation)

    (fault,) = check(held, served(held, 2_000, 1, **mixed))

    assert (fault.check, fault.column) == ("relation", None)
    assert "rows were put together wrongly" in fault.sentence


def test_a_mean_that_moved_breaks_no_relation(held: ReferenceProfile) -> None:
    assert found(held, served(held, 2_000, 1, base=lambda x: x + 0.5)) == []


def test_a_broken_column_does_not_accuse_its_partners(held: ReferenceProfile) -> None:
    day = served(held, 2_000, 1, base=lambda x: np.full(len(x), np.nan))

    assert found(held, day) == [("null", "base")]


def test_days_that_differ_by_themselves_are_no_fault() -> None:
    """Each day has a correlation of its own: half of them even the other sign."""
    random = np.random.default_rng(5)

    def day(n: int) -> pa.Table:
        one = random.normal(size=n)
        slope = random.normal(0.8, 0.8)
        return pa.table({"one": one, "other": slope * one + random.normal(size=n)})

    days = [day(400) for _ in range(20)]
    held = ReferenceProfile.model_validate(
        reference_profile(
            pa.concat_tables(days),
            np.zeros(8_000),
            np.zeros(8_000),
            {"one": "number", "other": "number"},
            {},
            np.arange(8_000) // 400,
            [],
        )
    )

    served_days = [day_profile(day(400), None, held, f"{n}") for n in range(20)]

    assert held.relations is not None
    assert [found(held, each) for each in served_days] == [[]] * 20


def test_a_reference_of_an_earlier_version_has_no_relations(held: ReferenceProfile) -> None:
    old = held.model_copy(update={"relations": None})
    table, scores = rows(500, 1)

    assert check(old, day_profile(table, scores, old, "part")) == []


def test_a_column_without_partners_has_no_share(held: ReferenceProfile) -> None:
    assert held.relations is not None
    day = served(held, 500, 1)

    assert kept_share(held.relations, day.relations, "alone") is None
    assert kept_share(held.relations, day.relations, "base", ["like", "flag", "kind"]) is None
