"""Evenly spaced samples of rows."""

import numpy as np
import pytest

from methods.tables.sampling import evenly_spaced


def test_a_sample_keeps_the_first_row_the_last_and_the_order() -> None:
    kept = evenly_spaced(1000, 11)

    assert kept.tolist() == sorted(kept.tolist())
    assert (kept[0], kept[-1], len(set(kept.tolist()))) == (0, 999, 11)


@pytest.mark.parametrize("rows", [0, 1, 11])
def test_few_rows_are_all_kept(rows: int) -> None:
    assert evenly_spaced(rows, 11).tolist() == np.arange(rows).tolist()
