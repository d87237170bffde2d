"""The gate that keeps a fault from being learnt: what must block, and what must not."""

from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import BROKEN, HARMLESS, reference, served, world

from methods.drift import quality
from methods.drift.limits import QualityLimits
from methods.drift.profile import ReferenceProfile, day_profile
from methods.drift.reference import reference_profile

check = partial(quality.check, limits=QualityLimits())

FAULTS = {
    "unit": ("unit", "skewed"),
    "null": ("null", "heavy"),
    "renamed": ("respelt", "kind"),  # in capitals
    "filled": ("spike", "heavy"),
    "missing": ("missing", "third"),
}


@pytest.fixture(scope="module")
def held() -> ReferenceProfile:
    return reference()


def faults(held: ReferenceProfile, rows: int, seed: object, scenario: str) -> list[tuple[str, str]]:
    found = check(held, served(held, rows, seed, scenario))
    return [(fault.check, fault.column or "") for fault in found]


@pytest.mark.parametrize("rows", [500, 5_000])
@pytest.mark.parametrize("scenario", BROKEN)
def test_a_broken_feed_is_blocked_and_the_column_named(
    held: ReferenceProfile, scenario: str, rows: int
) -> None:
    found = [faults(held, rows, [rows, seed], scenario) for seed in range(5)]

    assert found == [[FAULTS[scenario]]] * 5


@pytest.mark.parametrize("rows", [60, 500, 5_000])
@pytest.mark.parametrize("scenario", [*HARMLESS, "mean", "concept", "new_category"])
def test_a_world_that_changes_is_not_blocked(
    held: ReferenceProfile, scenario: str, rows: int
) -> None:
    found = [faults(held, rows, [rows, seed], scenario) for seed in range(5)]

    assert found == [[]] * 5


def altered(held: ReferenceProfile, **columns: object) -> list[str]:
    table, scores, _ = world(500, 77)
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return [fault.sentence for fault in check(held, day_profile(table, scores, held, "part"))]


def test_a_column_that_did_not_come_is_a_fault(held: ReferenceProfile) -> None:
    table, scores, _ = world(500, 77)
    day = day_profile(table.drop_columns(["uniform"]), scores, held, "part")

    assert [fault.sentence for fault in check(held, day)] == [
        "'uniform' did not come with every request."
    ]


def test_a_column_of_one_value_is_a_fault(held: ReferenceProfile) -> None:
    assert altered(held, kind=["kind-0"] * 500) == ["'kind' has one value in every row."]


def test_a_range_left_is_a_fault(held: ReferenceProfile) -> None:
    values = np.random.default_rng(0).uniform(0, 1, 500)
    values[:50] = -40.0

    assert altered(held, uniform=values) == ["'uniform' is outside -1 to 2 in 10% of the rows."]


def test_miles_that_became_kilometres_are_a_fault() -> None:
    random = np.random.default_rng(0)
    routes = np.round(random.lognormal(6.7, 0.7, 80))
    distances = random.choice(routes, 4_000)
    held = ReferenceProfile.model_validate(
        reference_profile(
            pa.table({"distance": distances}),
            np.zeros(4_000),
            np.zeros(4_000),
            {"distance": "number"},
            {},
            np.zeros(4_000, int),
            [],
        )
    )

    kilometres = pa.table({"distance": random.permutation(distances)[:900] * 1.609344})
    found = check(held, day_profile(kilometres, None, held, "part"))

    assert [fault.check for fault in found] == ["unit"]
    assert found[0].found == pytest.approx(1.609, abs=0.03)


def test_a_cold_day_is_not_another_unit() -> None:
    """A third of the reference's degrees at every quantile, but not as wide as the reference."""
    random = np.random.default_rng(0)
    days = np.repeat(np.arange(21), 200)
    degrees = np.repeat(random.normal(60, 8, 21), 200) + random.normal(0, 4, 4_200)
    held = ReferenceProfile.model_validate(
        reference_profile(
            pa.table({"dew_point": degrees}),
            np.zeros(4_200),
            np.zeros(4_200),
            {"dew_point": "number"},
            {},
            days,
            [],
        )
    )

    cold = pa.table({"dew_point": random.normal(16, 2, 900)})

    assert check(held, day_profile(cold, None, held, "part")) == []


def test_a_season_that_fills_the_last_bins_is_neither_constant_nor_a_spike() -> None:
    random = np.random.default_rng(0)
    held = ReferenceProfile.model_validate(
        reference_profile(
            pa.table({"temperature": random.normal(50, 8, 20_000)}),
            np.zeros(20_000),
            np.zeros(20_000),
            {"temperature": "number"},
            {},
            np.arange(20_000) // 900,
            [],
        )
    )

    summer = pa.table({"temperature": random.normal(92, 2, 900)})

    assert check(held, day_profile(summer, None, held, "part")) == []


def test_a_lumpy_day_is_not_a_default_fill(held: ReferenceProfile) -> None:
    """The weather of one airport has 24 values a day: each of them in about 4 % of the rows."""
    random = np.random.default_rng(1)
    hours = random.normal(size=24)

    assert altered(held, third=random.choice(hours, 500, p=np.r_[0.12, [0.88 / 23] * 23])) == []


def test_a_calendar_column_is_not_blocked_when_time_moves_on() -> None:
    days = np.repeat(np.arange(60), 60)
    months = (days // 30).astype(float)
    held = ReferenceProfile.model_validate(
        reference_profile(
            pa.table({"month": months, "day": (days % 30).astype(float)}),
            np.zeros(3_600),
            np.zeros(3_600),
            {"month": "number", "day": "number"},
            {},
            days,
            [],
        )
    )
    later = pa.table({"month": np.full(500, 2.0), "day": np.full(500, 5.0)})

    assert check(held, day_profile(later, None, held, "part")) == []


def test_an_empty_column_that_comes_alive_is_no_fault() -> None:
    empty = pa.table({"late": pa.array([None] * 200, pa.string())})
    held = ReferenceProfile.model_validate(
        reference_profile(
            empty, np.zeros(200), np.zeros(200), {"late": "category"}, {}, np.zeros(200, int), []
        )
    )

    day = day_profile(pa.table({"late": ["yes"] * 200}), None, held, str(date(2013, 1, 1)))

    assert check(held, day) == []
