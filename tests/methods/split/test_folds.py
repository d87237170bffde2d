import numpy as np
import pyarrow as pa
import pytest

from contract.errors import InvalidRequest
from methods.split.folds import PreparedAssignment, fold_pairs, read_assignment


def assignment(rows: int = 40, count: int = 4) -> PreparedAssignment:
    place = np.arange(rows)
    part = np.where(place < 0.8 * rows, "train", "vault")
    fold = np.where(part == "train", place * count // int(0.8 * rows), -1)
    return PreparedAssignment(part=part, block=place // 4, fold=fold)


ALL = np.ones(40, dtype=np.bool_)


def test_in_order_no_row_teaches_about_an_earlier_one() -> None:
    pairs = fold_pairs(assignment(), ALL, ordered=True)

    assert len(pairs) == 3
    assert all(pair.train.max() < pair.score.min() for pair in pairs)


def test_without_order_every_train_row_is_scored_once() -> None:
    pairs = fold_pairs(assignment(), ALL, ordered=False)

    assert np.concatenate([pair.score for pair in pairs]).tolist() == list(range(32))


def test_no_row_teaches_and_is_scored() -> None:
    pairs = fold_pairs(assignment(), ALL, ordered=False)

    assert not any(set(pair.train) & set(pair.score) for pair in pairs)


def test_rows_without_a_label_take_no_part() -> None:
    labelled = ALL.copy()
    labelled[3] = False

    pairs = fold_pairs(assignment(), labelled, ordered=False)

    assert not any(3 in pair.train or 3 in pair.score for pair in pairs)


def test_large_data_get_one_holdout() -> None:
    pairs = fold_pairs(assignment(), ALL, ordered=True, holdout_rows=30)

    assert len(pairs) == 1
    assert pairs[0].score.tolist() == list(range(24, 32))


def test_one_fold_is_not_enough() -> None:
    with pytest.raises(InvalidRequest, match="train has 1 folds"):
        fold_pairs(assignment(count=1), ALL, ordered=False)


def test_an_assignment_is_read_in_the_order_of_the_rows() -> None:
    table = pa.table(
        {
            "row": [2, 0, 1],
            "part": ["vault", "train", "train"],
            "block": [9, 7, 8],
            "fold": [-1, 0, 1],
        }
    )

    found = read_assignment(table, 3)

    assert found.part.tolist() == ["train", "train", "vault"]
    assert (found.block.tolist(), found.fold.tolist()) == ([7, 8, 9], [0, 1, -1])


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 1], [1, 2, 3]])
def test_an_assignment_of_another_table_is_an_invalid_request(rows: list[int]) -> None:
    count = len(rows)
    table = pa.table(
        {"row": rows, "part": ["train"] * count, "block": [0] * count, "fold": [0] * count}
    )

    with pytest.raises(InvalidRequest, match="both must come from one run"):
        read_assignment(table, 3)
