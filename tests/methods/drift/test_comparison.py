"""Which columns moved: no false alarms, and the truth of the injected scenarios."""

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from fixtures_drift import HARMLESS, log_loss, reference, served, world

from methods.drift import comparison
from methods.drift.comparison import Comparison, distance
from methods.drift.limits import DriftLimits
from methods.drift.profile import ReferenceProfile, day_profile, merge_profiles
from methods.drift.reference import reference_profile

compare_profiles = partial(comparison.compare_profiles, limits=DriftLimits())
limit = partial(comparison.column_limit, limits=DriftLimits())


@pytest.fixture(scope="module")
def held() -> ReferenceProfile:
    return reference()


def judged(held: ReferenceProfile, rows: int, seed: object, scenario: str) -> Comparison:
    return compare_profiles(held, served(held, rows, seed, scenario))


@pytest.mark.parametrize("rows", [500, 5_000])
def test_nothing_is_drifted_where_nothing_changed(held: ReferenceProfile, rows: int) -> None:
    found = [judged(held, rows, [rows, seed], "none") for seed in range(25)]

    assert [c.name for each in found for c in (*each.drifted, *each.scores) if c.drifted] == []


def test_a_noise_column_that_moves_is_drifted_and_has_no_impact(held: ReferenceProfile) -> None:
    found = judged(held, 2_000, 1, "noise_moves")

    assert [column.name for column in found.drifted] == ["noise"]
    assert found.impact == 0.0
    assert not found.is_score_drifted


def test_the_column_that_matters_ranks_first(held: ReferenceProfile) -> None:
    found = judged(held, 2_000, 1, "mean")

    assert found.columns[0].name == "heavy"
    assert [column.rank for column in found.columns] == list(range(1, 12))
    assert found.impact >= 0.43
    assert found.columns[0].w1 == pytest.approx(1.0, abs=0.1)


def test_a_missing_value_is_drift_and_its_own_cause(held: ReferenceProfile) -> None:
    found = judged(held, 500, 1, "missing")

    assert [(column.name, column.cause) for column in found.drifted] == [("third", "missing")]
    assert found.drifted[0].missing_delta == pytest.approx(0.27, abs=0.05)


def test_a_new_category_is_seen(held: ReferenceProfile) -> None:
    found = judged(held, 500, 1, "new_category")

    assert found.unseen == pytest.approx(0.15, abs=0.04)
    assert [(column.name, column.cause) for column in found.drifted] == [("kind", "unseen")]


def test_a_concept_that_changes_moves_no_column(held: ReferenceProfile) -> None:
    found = judged(held, 5_000, 1, "concept")

    assert found.drifted == ()
    assert not found.is_score_drifted


def test_a_wobble_that_100_000_rows_make_significant_is_not_drift(held: ReferenceProfile) -> None:
    table, scores, _ = world(100_000, 5)
    moved = table.set_column(
        table.column_names.index("noise"),
        "noise",
        pa.array(table.column("noise").to_numpy() + 0.05),
    )
    found = compare_profiles(held, day_profile(moved, scores, held, "part"))

    column = next(column for column in found.columns if column.name == "noise")
    assert column.q <= 0.01
    assert not column.drifted


def test_a_column_without_values_is_compared(held: ReferenceProfile) -> None:
    found = judged(held, 500, 1, "null")

    assert found.columns[0].name == "heavy"
    assert found.columns[0].drifted
    assert found.columns[0].missing_delta == 1.0


def test_a_limit_follows_the_references_own_windows_up_to_a_quarter(held: ReferenceProfile) -> None:
    column = held.columns["heavy"]

    def with_psi(psi: float) -> float:
        calm = column.calm.model_copy(update={"psi": psi})
        return limit(column.model_copy(update={"calm": calm}))

    assert [with_psi(psi) for psi in (0.0, 0.1, 3.0)] == pytest.approx([0.10, 0.12, 0.25])


def test_a_drifted_column_stays_so_until_it_is_well_below_its_limit(
    held: ReferenceProfile,
) -> None:
    window = served(held, 20_000, 3, "mean")
    column = held.columns["heavy"]
    psi = next(c.psi_corrected for c in compare_profiles(held, window).columns if c.name == "heavy")
    calm = column.calm.model_copy(update={"psi": psi})
    other = held.model_copy(
        update={"columns": held.columns | {"heavy": column.model_copy(update={"calm": calm})}}
    )
    raised = served(other, 20_000, 3, "mean")

    def drifted(before: tuple[str, ...]) -> bool:
        found = compare_profiles(other, raised, before)
        return next(c.drifted for c in found.columns if c.name == "heavy")

    assert limit(other.columns["heavy"]) == 0.25
    assert drifted(()) == drifted(("heavy",)) == (psi >= 0.25)


def test_a_window_on_other_grids_is_refused(held: ReferenceProfile) -> None:
    other = reference(rows=2_000, seed=9)

    with pytest.raises(ValueError, match="another reference"):
        compare_profiles(held, served(other, 100, 1))


def test_two_windows_of_one_world_are_near_and_of_two_worlds_are_not(
    held: ReferenceProfile,
) -> None:
    names = tuple(held.columns)
    calm, again = served(held, 2_000, 1), served(held, 2_000, 2)
    moved = served(held, 2_000, 3, "mean")

    assert distance(held, calm, again, names) < 0.1
    assert distance(held, calm, moved, names) > 0.5
    assert distance(held, calm, moved, ["nothing of ours"]) == 0.0


def test_several_classes_have_a_score_each() -> None:
    table, scores, labels = world(2_000, 0)
    both = np.column_stack([1 - scores, scores])
    held = ReferenceProfile.model_validate(
        reference_profile(
            table, both, log_loss(labels, scores), {"heavy": "number"}, {}, np.zeros(2_000, int), []
        )
    )

    found = compare_profiles(held, day_profile(table, both[:, ::-1], held, "part"))

    assert {score.name for score in found.scores} == {"score.0", "score.1"}
    assert found.is_score_drifted


@pytest.mark.parametrize("scenario", HARMLESS)
def test_the_score_stands_still_where_nothing_matters(
    held: ReferenceProfile, scenario: str
) -> None:
    found = [judged(held, 1_000, seed, scenario).is_score_drifted for seed in range(10)]

    assert not any(found)


def test_seven_days_merge_to_the_window_they_are(held: ReferenceProfile) -> None:
    days = [served(held, 100, seed) for seed in range(7)]

    merged = merge_profiles(days)

    assert merged == merge_profiles([merge_profiles(days[4:]), merge_profiles(days[:4][::-1])])
    assert merged.rows == 700
    assert all(histogram.rows == 700 for histogram in merged.columns.values())
