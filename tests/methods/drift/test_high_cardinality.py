"""Columns of very many categories: quiet ones do not drift, and moved ones still do."""

from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from methods.drift import comparison, quality
from methods.drift.limits import DriftLimits, QualityLimits
from methods.drift.profile import ReferenceProfile, day_profile
from methods.drift.reference import reference_profile

compare = partial(comparison.compare_profiles, limits=DriftLimits())
check = partial(quality.check, limits=QualityLimits())


def zipf(random: np.random.Generator, levels: int, rows: int, first: int = 0) -> pa.Table:
    weights = 1 / np.arange(1, levels + 1)
    codes = random.choice(levels, rows, p=weights / weights.sum())
    return pa.table({"code": [f"code-{code + first}" for code in codes]})


def held(random: np.random.Generator, levels: int, rows: int) -> ReferenceProfile:
    content = reference_profile(
        zipf(random, levels, rows),
        np.zeros(rows),
        np.zeros(rows),
        {"code": "category"},
        {"code": 1.0},
        np.arange(rows) * 15 // rows,
        [],
    )
    return ReferenceProfile.model_validate(content)


@pytest.mark.parametrize(
    ("levels", "reference", "window"),
    [(200, 2_600, 1_400), (1_000, 2_600, 1_400), (5_000, 7_500, 3_500)],
)
def test_many_quiet_categories_do_not_drift(levels: int, reference: int, window: int) -> None:
    random = np.random.default_rng(0)
    found = []
    for _ in range(12):
        profile = held(random, levels, reference)
        day = day_profile(zipf(random, levels, window), None, profile, "part")
        found.append((compare(profile, day), check(profile, day)))

    assert [one.drifted for one, _ in found] == [()] * 12
    assert max(one.unseen for one, _ in found) < 0.05
    assert [faults for _, faults in found] == [[]] * 12


def test_categories_that_are_new_are_still_unseen() -> None:
    random = np.random.default_rng(1)
    profile = held(random, 1_000, 2_600)
    mixed = pa.concat_tables([zipf(random, 1_000, 1_000), zipf(random, 1_000, 400, first=5_000)])

    found = compare(profile, day_profile(mixed, None, profile, "part"))

    assert [column.name for column in found.drifted] == ["code"]
    assert found.unseen == pytest.approx(400 / 1_400, abs=0.04)


def test_a_reference_of_an_earlier_version_is_compared_as_before() -> None:
    random = np.random.default_rng(2)
    profile = held(random, 200, 8_000)
    histogram = profile.columns["code"].histogram.model_copy(update={"singles": 0})
    old = profile.model_copy(
        update={
            "columns": {"code": profile.columns["code"].model_copy(update={"histogram": histogram})}
        }
    )

    assert compare(old, day_profile(zipf(random, 200, 3_500), None, old, "part")).drifted == ()
