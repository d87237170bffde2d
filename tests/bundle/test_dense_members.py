"""Dense members: the expansion, the layers, and what is refused."""

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bundle import BundleRefused, Dense, DenseSpec, expand
from bundle.tensors import Tensors

SPEC = DenseSpec(
    inputs=3,
    numeric=(0, 1),
    fill=(5.0, 0.0),
    center=(1.0, 0.0),
    scale=(2.0, 1e-300),
    missing=(0,),
    onehot=((2, 3),),
    limit=8.0,
)
New = Callable[..., Any]


def test_a_row_is_filled_scaled_cut_and_spread() -> None:
    rows = np.array([[3.0, 0.0, 1.0], [np.nan, 1e300, np.nan], [1e9, -1.0, 3.0], [1.0, 0.0, -1.0]])

    assert expand(rows, SPEC).tolist() == [
        [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [2.0, 8.0, 1.0, 0.0, 0.0, 0.0],
        [8.0, -8.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
    assert SPEC.width == 6


@pytest.mark.parametrize("link", ["identity", "sigmoid", "softmax"])
def test_one_row_has_the_bits_it_has_in_a_batch(
    kernel: str, new_dense: New, new_rows: New, link: str
) -> None:
    member = Dense(new_dense(3, SPEC, (8, 5, 2), link))
    rows = new_rows(4, inputs=3)

    alone = np.array([member.one(array("d", row)) for row in rows.tolist()])

    assert alone.tobytes() == member.batch(rows).tobytes()
    assert np.isfinite(alone).all()


def test_scores_stay_finite_whatever_is_sent(kernel: str, new_dense: New) -> None:
    member = Dense(new_dense(3, SPEC, (8, 1), "sigmoid"))

    found = member.batch(np.array([[1.7e308, -1.7e308, 1e308], [-1.7e308, np.inf, -np.inf]]))

    assert ((found >= 0) & (found <= 1)).all()


def test_an_empty_batch_has_no_scores(kernel: str, new_dense: New) -> None:
    member = Dense(new_dense(3, SPEC, (8, 2), "softmax"))

    assert member.batch(np.empty((0, 3))).shape == (0, 2)


def without_link(tensors: Tensors) -> Tensors:
    return Tensors("dense", tensors.arrays, tensors.meta | {"link": "identity"})


def test_raw_scores_have_no_link(kernel: str, new_dense: New, new_rows: New) -> None:
    tensors = new_dense(3, SPEC, (2,), "softmax")
    rows = new_rows(4, inputs=3)

    raw = Dense(tensors, raw=True).batch(rows)

    assert raw.tobytes() == Dense(without_link(tensors)).batch(rows).tobytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("w0", np.zeros((7, 8))),
        ("w0", np.zeros(48)),
        ("b1", np.zeros(3)),
        ("b1", np.zeros((2, 1))),
        ("w1", np.full((8, 2), np.inf)),
    ],
)
def test_layers_that_do_not_fit_are_refused(new_dense: New, name: str, value: np.ndarray) -> None:
    tensors = new_dense(3, SPEC, (8, 2), "identity")
    tensors.arrays[name] = value

    with pytest.raises(BundleRefused):
        Dense(tensors)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scale": (1.0, 0.0)}, "a scale is 0"),
        ({"fill": (1.0,)}, "one number for each numeric column"),
        ({"missing": (3,)}, "not among the 3 inputs"),
        ({"onehot": ((3, 2),)}, "not among the 3 inputs"),
    ],
)
def test_a_view_that_cannot_be_made_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        DenseSpec(**(SPEC.model_dump() | changes))
