"""The gate that keeps a fault from being learnt: what must block, and what must not."""

from datetime import date, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import BROKEN, HARMLESS, reference, served, world

from methods.drift import quality
from methods.drift.limits import QualityLimits
from methods.drift.profile import DayProfile, ReferenceProfile, day_profile
from methods.drift.quality import AcceptedState
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


def grown(held: ReferenceProfile, share: float, seed: int) -> DayProfile:
    """Return a day on which a category that the reference never had holds a share of the rows."""
    table, scores, _ = world(900, seed)
    is_new = np.random.default_rng(seed).random(900) < share
    kinds = np.where(is_new, "kind-new", table.column("kind").to_numpy(zero_copy_only=False))
    table = table.set_column(table.column_names.index("kind"), "kind", pa.array(kinds))
    return day_profile(table, scores, held, f"day {seed}")


def test_a_category_that_grows_to_most_of_the_rows_is_never_blocked(
    held: ReferenceProfile,
) -> None:
    before: dict[date, DayProfile] = {}
    found = []
    for number, share in enumerate(np.linspace(0, 0.65, 27)):
        day = grown(held, share, number)
        found += check(held, day, before)
        before[date(2024, 1, 1) + timedelta(days=number)] = day

    assert found == []


def test_a_category_that_takes_most_of_the_rows_in_one_day_is_blocked(
    held: ReferenceProfile,
) -> None:
    before = {date(2024, 1, 1): grown(held, 0.05, 1)}

    assert [fault.check for fault in check(held, grown(held, 0.65, 2), before)] == ["unseen"]


def test_what_a_person_accepted_blocks_no_longer_and_its_further_change_does(
    held: ReferenceProfile,
) -> None:
    accepted = AcceptedState(columns={"heavy": served(held, 900, 1, "filled")})
    again, worse = served(held, 900, 2, "filled"), served(held, 900, 3, "null")

    assert check(held, again, accepted=accepted) == []
    assert [fault.check for fault in check(held, worse, accepted=accepted)] == ["null"]
    assert [
        fault.check for fault in check(held, served(held, 900, 4, "unit"), accepted=accepted)
    ] == ["unit"]


def test_a_column_that_is_empty_on_some_days_anyway_may_be_empty() -> None:
    """The gusts of a calm day: most hours have none, and some days have almost none."""
    random = np.random.default_rng(0)
    days = np.repeat(np.arange(20), 200)
    shares = np.repeat(random.uniform(0.02, 0.4, 20), 200)
    gusts = np.where(random.random(4_000) < shares, random.normal(25, 5, 4_000), np.nan)
    content = reference_profile(
        pa.table({"gust": gusts}),
        np.zeros(4_000),
        np.zeros(4_000),
        {"gust": "number"},
        {},
        days,
        [],
    )
    calm = ReferenceProfile.model_validate(content)

    assert check(calm, day_profile(pa.table({"gust": np.full(200, np.nan)}), None, calm, "a")) == []


def test_rounded_numbers_are_a_fault(held: ReferenceProfile) -> None:
    table, _, _ = world(500, 77)

    rounded = altered(held, noise=np.round(table.column("noise").to_numpy()))

    assert len(rounded) == 1
    assert rounded[0].startswith("'noise' has 8 different values")
    assert rounded[0].endswith("it was rounded.")


def test_numbers_that_are_cut_off_are_a_fault(held: ReferenceProfile) -> None:
    table, _, _ = world(500, 77)

    cut = altered(held, noise=np.clip(table.column("noise").to_numpy(), -1, 1))

    assert len(cut) == 1
    assert cut[0].startswith("'noise' ends at -1 and 1")


def test_a_profile_of_an_earlier_version_is_checked_by_what_it_has(held: ReferenceProfile) -> None:
    new = {"gain": None, "vanished": None, "distinct": None, "block_rows": None}
    old = held.model_copy(
        update={
            "relations": None,
            "columns": {
                name: column.model_copy(update={"calm": column.calm.model_copy(update=new)})
                for name, column in held.columns.items()
            },
        }
    )

    assert [fault.check for fault in check(old, served(old, 900, 5, "null"))] == ["null"]
    assert check(old, served(old, 900, 5)) == []
