"""The tensor files: what is written is read, what is damaged is refused."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bundle import BundleRefused, Tensors
from bundle.tensors import NODE, pack, unpack

TYPES = st.sampled_from(["<f8", "<f4", "<u4", "<i8", "|u1"]).map(np.dtype)
TENSORS = st.dictionaries(
    st.text("abcw0123", min_size=1, max_size=4),
    TYPES.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(max_dims=3, min_side=0))),
    max_size=4,
)


@given(TENSORS)
def test_what_is_packed_is_unpacked(found: dict[str, np.ndarray]) -> None:
    tensors = Tensors("dense", found, {"layers": 1})

    again = unpack(pack(tensors), "dense", "m0")

    assert again.meta == tensors.meta
    assert again.arrays.keys() == found.keys()
    for name, array in found.items():
        assert again.arrays[name].dtype == array.dtype
        assert again.arrays[name].shape == array.shape
        assert again.arrays[name].tobytes() == array.tobytes()


def test_nodes_come_back_as_nodes() -> None:
    nodes = np.array([(0.5, 1, 2), (1.5, 1, 3)], NODE)

    again = unpack(pack(Tensors("tree", {"nodes": nodes}, {})), "tree", "m0")

    assert again.arrays["nodes"].dtype == NODE
    assert again.arrays["nodes"].tolist() == nodes.tolist()


def spell(header: dict[str, Any], data: bytes = bytes(16)) -> bytes:
    text = json.dumps({"__metadata__": {"meta": "{}"}} | header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(shape: list[int], first: int, past: int, kind: str = "F64") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [first, past]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 1 << 40) + bytes(100),
        spell({"a": tensor([1], 0, 8)}),  # 8 bytes too many
        spell({"a": tensor([3], 0, 24)}),
        spell({"a": tensor([1], 8, 16)}),
        spell({"a": tensor([2], 0, 16), "b": tensor([1], 8, 16)}),
        spell({"a": tensor([-2], 0, 16)}),
        spell({"a": tensor([1 << 70], 0, 16)}),
        spell({"a": tensor([2], 0, 16, "F16")}),
        spell({"nodes": tensor([2], 0, 16)}),
        spell({"a": tensor([2], 0, 16), "b": 7}),
        spell({"a": tensor([2], 0, 16), "__metadata__": {}}),
        spell({"a": tensor([2], 0, 16), "__metadata__": [7]}),
        spell({"a": tensor([2], 0, 16), "__metadata__": {"meta": "[NaN]"}}),
        struct.pack("<Q", 100_000) + b"[" * 100_000,
    ],
    ids=range(16),
)
def test_a_damaged_header_is_refused(data: bytes) -> None:
    with pytest.raises(BundleRefused):
        unpack(data, "dense", "m0")
