"""A reader that answers otherwise is refused, and told at which stage."""

from typing import Any

import pytest

import bundle
from bundle import BundleRefused, golden
from bundle.documents import Golden, GoldenRow


def changed(expected: Golden, **update: Any) -> Golden:
    """Return the golden rows with the second one changed."""
    rows = list(expected.rows)
    rows[1] = rows[1].model_copy(update=update)
    return expected.model_copy(update={"rows": tuple(rows)})


def shifted(values: tuple[float, ...], by: float) -> tuple[float, ...]:
    return (values[0] + by, *values[1:])


def test_the_same_reader_is_accepted(parts: Any) -> None:
    scorer = parts.scorer()

    golden.check(scorer, golden.make(scorer, parts.golden_rows))


def test_the_encoder_is_named_first(parts: Any) -> None:
    scorer = parts.scorer()
    expected = golden.make(scorer, parts.golden_rows)
    row: GoldenRow = expected.rows[1]
    wrong = changed(expected, encoded=(0.0, *row.encoded[1:]), output=(0.9,))

    with pytest.raises(
        BundleRefused, match=r"golden row 1 .* the encoder differs at column 'delay'"
    ):
        golden.check(scorer, wrong)


def test_a_member_is_named_by_its_file(parts: Any) -> None:
    scorer = parts.scorer()
    expected = golden.make(scorer, parts.golden_rows)
    tree, dense = expected.rows[1].members
    wrong = changed(expected, members=(tree, shifted(dense, 1e-9)), output=(0.9,))

    with pytest.raises(BundleRefused, match=r"member members/m1\.dense differs"):
        golden.check(scorer, wrong)


def test_the_output_is_named_last(parts: Any) -> None:
    scorer = parts.scorer()
    expected = golden.make(scorer, parts.golden_rows)
    wrong = changed(expected, output=shifted(expected.rows[1].output, 1e-9))

    with pytest.raises(BundleRefused, match="output differs, after its members agreed"):
        golden.check(scorer, wrong)


def test_another_libm_is_no_difference(parts: Any) -> None:
    scorer = parts.scorer()
    expected = golden.make(scorer, parts.golden_rows)

    golden.check(scorer, changed(expected, output=shifted(expected.rows[1].output, 1e-14)))


@pytest.mark.parametrize("update", [{"members": ()}, {"encoded": ()}, {"output": ()}])
def test_answers_of_another_length_are_refused(parts: Any, update: dict[str, Any]) -> None:
    scorer = parts.scorer()
    expected = golden.make(scorer, parts.golden_rows)

    with pytest.raises(BundleRefused):
        golden.check(scorer, changed(expected, **update))


def test_a_value_no_request_could_hold_is_an_invalid_request(parts: Any) -> None:
    from contract.errors import InvalidRequest

    with pytest.raises(InvalidRequest, match="a golden row holds a list"):
        golden.make(parts.scorer(), [{"delay": [1]}])


def test_a_tolerance_that_lets_anything_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="tolerance"):
        bundle.Golden(tolerance=1.0, rows=())
