"""The C kernel and its numpy twin: the same bits, the same refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle import kernel as kernels
from bundle import twin
from bundle.tensors import Tensors
from bundle.trees import TreeMeta

c = pytest.importorskip("bundle._flatforest", reason="the C kernel is not built: no compiler")

New = Callable[..., Any]


def build(kernel: Any, tensors: Tensors, **changes: Any) -> Any:
    arrays = tensors.arrays | changes
    meta = TreeMeta.model_validate(tensors.meta)
    return kernel.build(
        *(arrays[name] for name in ("nodes", "roots", "bits", "leaves", "init")),
        meta.inputs,
        meta.outputs,
        meta.width,
        kernels.CASTS[meta.cast],
        int(meta.float32_sums),
        kernels.LINKS[meta.link],
        meta.scale,
        meta.bias,
    )


def predict(kernel: Any, forest: Any, rows: np.ndarray, outputs: int, raw: int = 0) -> np.ndarray:
    out = np.full((len(rows), outputs), np.nan)
    kernel.predict(forest, rows, out, raw)
    return out


HEADERS = [
    {},
    {"cast": "float32", "float32_sums": True, "link": "sigmoid"},
    {"cast": "tiny", "link": "sigmoid", "scale": 1.5, "bias": -0.25},
    {"outputs": 3, "link": "softmax"},
    {"outputs": 3, "width": 3, "link": "average", "cast": "float32"},
    {"outputs": 2, "width": 2, "scale": 1e308, "bias": 1e308},
    {"inputs": 6, "categorical": 4, "trees": 21, "depth": 2},
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
@pytest.mark.parametrize("raw", [0, 1])
def test_scores_have_the_same_bits(
    new_forest: New, new_rows: New, header: dict[str, Any], raw: int
) -> None:
    tensors = new_forest(5, **header)
    inputs, outputs = tensors.meta["inputs"], tensors.meta["outputs"]
    rows = new_rows(6, inputs=inputs, categorical=header.get("categorical", 1))

    by_c = predict(c, build(c, tensors), rows, outputs, raw)
    by_numpy = predict(twin, build(twin, tensors), rows, outputs, raw)

    assert by_numpy.tobytes() == by_c.tobytes()


@pytest.mark.parametrize("kernel", [c, twin])
@pytest.mark.parametrize("depth", [3, 11])
def test_one_row_has_the_bits_it_has_in_a_batch(
    new_forest: New, new_rows: New, kernel: Any, depth: int
) -> None:
    """Depth 11 is past the size at which the C kernel takes larger blocks of rows."""
    tensors = new_forest(7, trees=3, depth=depth, link="sigmoid")
    rows = new_rows(8, count=67)
    forest = build(kernel, tensors)

    batch = predict(kernel, forest, rows, 1)
    alone = np.concatenate([predict(kernel, forest, row[None], 1) for row in rows])

    assert alone.tobytes() == batch.tobytes()


@pytest.mark.parametrize("kernel", [c, twin])
def test_more_inputs_than_fit_on_the_stack_are_scored(new_forest: New, kernel: Any) -> None:
    tensors = new_forest(9, inputs=3000, categorical=0)
    rows = np.random.default_rng(0).normal(size=(2, 3000))
    forest = build(kernel, tensors)

    alone = predict(kernel, forest, rows[:1], 1)

    assert alone.tobytes() == predict(kernel, forest, rows, 1)[:1].tobytes()


@pytest.mark.slow
@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_table_is_refused_by_both_or_scored_alike(
    new_forest: New, new_rows: New, data: st.DataObject
) -> None:
    tensors = new_forest(3, trees=3, depth=2, outputs=3, width=data.draw(st.sampled_from([1, 3])))
    name = data.draw(st.sampled_from(["nodes", "roots", "bits", "leaves", "init"]))
    raw = bytearray(tensors.arrays[name].tobytes())
    for _ in range(data.draw(st.integers(1, 3))):
        if raw:
            place = data.draw(st.integers(0, len(raw) - 1))
            raw[place] ^= 1 << data.draw(st.integers(0, 7))
    damaged = {name: bytes(raw)}
    rows = new_rows(4, count=20)

    answers = []
    for kernel in (c, twin):
        try:
            forest = build(kernel, tensors, **damaged)
        except ValueError as error:
            answers.append(str(error))
        else:
            answers.append(predict(kernel, forest, rows, 3).tobytes())

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("inputs", 0, "bad number of features"),
        ("outputs", 2, "bad size"),
        ("width", 2, "bad width"),
        ("cast", 3, "bad link or cast"),
        ("link", 4, "bad link or cast"),
        ("scale", np.inf, "scale or bias is not finite"),
        ("bias", np.nan, "scale or bias is not finite"),
    ],
)
@pytest.mark.parametrize("kernel", [c, twin])
def test_a_wrong_header_is_named(
    new_forest: New, kernel: Any, field: str, value: float, fault: str
) -> None:
    arrays = new_forest().arrays
    header = {"inputs": 4, "outputs": 1, "width": 1, "cast": 0, "float32": 0, "link": 0}
    header |= {"scale": 1.0, "bias": 0.0} | {field: value}
    tables = [arrays[name] for name in ("nodes", "roots", "bits", "leaves", "init")]

    with pytest.raises(ValueError, match=fault):
        kernel.build(*tables, *header.values())


@pytest.mark.parametrize("relu", [0, 1])
def test_dense_layers_have_the_same_bits(relu: int) -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(40, 30)) * random.choice([0.0, 1.0, 1e200], (40, 30))
    weights, bias = random.normal(size=(30, 7)) * 1e120, random.normal(size=7)
    bias[0] = -0.0
    outs = [np.empty((40, 7)), np.empty((40, 7))]

    c.dense(rows, weights, bias, outs[0], relu)
    twin.dense(rows, weights, bias, outs[1], relu)

    assert outs[1].tobytes() == outs[0].tobytes()


@pytest.mark.parametrize("kernel", [c, twin])
def test_buffers_of_the_wrong_size_are_refused(new_forest: New, kernel: Any) -> None:
    forest = build(kernel, new_forest())

    with pytest.raises(ValueError, match="bad shape"):
        kernel.predict(forest, np.zeros((2, 4)), np.zeros(3), 0)
    with pytest.raises(ValueError, match="bad shape"):
        kernel.dense(np.zeros((2, 4)), np.zeros((4, 3)), np.zeros(3), np.zeros((2, 2)), 0)


def test_misaligned_memory_is_refused_by_the_c_kernel(new_forest: New) -> None:
    shifted = np.zeros(33, np.uint8)[1:].view(np.float64)

    with pytest.raises(ValueError, match="bad shape"):
        c.predict(build(c, new_forest()), shifted, np.zeros(1), 0)


@pytest.mark.parametrize("kernel", [c, twin])
@pytest.mark.parametrize("name", ["nodes", "roots", "bits", "leaves", "init"])
def test_a_table_of_no_whole_items_is_refused(new_forest: New, kernel: Any, name: str) -> None:
    with pytest.raises(ValueError, match="bad size"):
        build(kernel, new_forest(), **{name: bytes(7)})


@pytest.mark.parametrize("kernel", [c, twin])
def test_a_probability_that_underflows_is_zero(new_forest: New, kernel: Any) -> None:
    tensors = new_forest(1, link="sigmoid", bias=-1e4)

    assert predict(kernel, build(kernel, tensors), np.zeros((2, 4)), 1).tolist() == [[0.0], [0.0]]
