"""The rules of one node, by known answers, on both kernels."""

from typing import Any

import numpy as np
import pytest

from bundle import BundleRefused, Trees
from bundle.tensors import NODE, Tensors

CATEGORICAL, NAN_LEFT, OUTSIDE_LEFT = 1 << 31, 1 << 30, 1 << 29
LEFT, RIGHT = 1.0, 2.0


def stump(threshold: float, flags: int = 0, words: tuple[int, ...] = (), **meta: Any) -> Tensors:
    """Return one node with two leaves; a bitset takes the threshold's place."""
    nodes = np.array([(threshold, 1, flags), (LEFT, 1, 1), (RIGHT, 2, 1)], NODE)
    if words:
        nodes["threshold"][0] = np.array([0, len(words)], "<u4").view("<f8")[0]
    arrays = {
        "nodes": nodes,
        "roots": np.zeros(1, "<u4"),
        "bits": np.array(words, "<u4"),
        "leaves": np.empty(0),
        "init": np.zeros(1),
    }
    return Tensors("tree", arrays, {"inputs": 1, "outputs": 1} | meta)


def ask(tensors: Tensors, value: float) -> float:
    return float(Trees(tensors).batch(np.array([[value]]))[0, 0])


@pytest.mark.parametrize(
    ("value", "answer"),
    [(0.5, LEFT), (np.nextafter(0.5, 1), RIGHT), (-np.inf, LEFT), (np.nan, RIGHT)],
)
def test_a_value_up_to_the_threshold_goes_left(kernel: str, value: float, answer: float) -> None:
    assert ask(stump(0.5), value) == answer


def test_a_missing_value_goes_left_where_the_node_says_so(kernel: str) -> None:
    assert ask(stump(-np.inf, NAN_LEFT), np.nan) == LEFT


def test_float32_trainers_see_float32_values(kernel: str) -> None:
    value = float(np.float32(0.1))
    below = np.nextafter(value, 0)

    assert ask(stump(below), value) == RIGHT
    assert ask(stump(value, cast="float32"), np.nextafter(value, 1)) == LEFT


def test_lightgbm_reads_a_tiny_value_as_zero(kernel: str) -> None:
    tiny = float(np.float32(1e-35))

    assert ask(stump(0.0, cast="tiny"), tiny) == LEFT
    assert ask(stump(0.0, cast="tiny"), np.nextafter(tiny, 1)) == RIGHT
    assert ask(stump(0.0), tiny) == RIGHT


@pytest.mark.parametrize(
    ("value", "answer"),
    [(0, LEFT), (1, RIGHT), (33, LEFT), (33.9, LEFT), (-0.5, LEFT), (-1, RIGHT), (64, RIGHT)],
)
def test_a_code_in_the_set_goes_left(kernel: str, value: float, answer: float) -> None:
    assert ask(stump(0, CATEGORICAL, words=(1, 2)), value) == answer


@pytest.mark.parametrize("value", [-1.0, 64.0, 1e300, -np.inf, np.inf])
def test_a_code_outside_goes_left_where_the_node_says_so(kernel: str, value: float) -> None:
    assert ask(stump(0, CATEGORICAL | OUTSIDE_LEFT, words=(0, 0)), value) == LEFT


def test_an_empty_bitset_is_refused(kernel: str) -> None:
    """The code -0.5 truncates to 0: it would be read from behind the table."""
    tensors = stump(0.0, CATEGORICAL, words=())

    with pytest.raises(BundleRefused, match="bad bitset"):
        Trees(tensors)


def test_a_child_before_its_parent_is_refused(kernel: str) -> None:
    tensors = stump(0.5)
    tensors.arrays["nodes"]["child"][0] = 2

    with pytest.raises(BundleRefused, match="bad child"):
        Trees(tensors)


def test_classes_take_turns_at_the_trees(kernel: str) -> None:
    nodes = np.array([(value, place, 1) for place, value in enumerate([1, 2, 10, 20])], NODE)
    arrays = {
        "nodes": nodes,
        "roots": np.arange(4, dtype="<u4"),
        "bits": np.empty(0, "<u4"),
        "leaves": np.empty(0),
        "init": np.array([0.5, 0.25]),
    }

    found = Trees(Tensors("tree", arrays, {"inputs": 1, "outputs": 2})).batch(np.zeros((1, 1)))

    assert found.tolist() == [[11.5, 22.25]]


def test_a_forest_is_the_mean_of_its_leaf_rows(kernel: str) -> None:
    arrays = {
        "nodes": np.array([(1, 0, 1), (0, 1, 1)], NODE),
        "roots": np.arange(2, dtype="<u4"),
        "bits": np.empty(0, "<u4"),
        "leaves": np.array([0.25, 0.75, 1.0, 0.0]),
        "init": np.zeros(2),
    }
    meta = {"inputs": 1, "outputs": 2, "width": 2, "link": "average"}

    found = Trees(Tensors("tree", arrays, meta)).batch(np.zeros((1, 1)))

    assert found.tolist() == [[0.625, 0.375]]


def test_an_empty_batch_has_no_scores(kernel: str) -> None:
    assert Trees(stump(0.5)).batch(np.empty((0, 1))).shape == (0, 1)
