"""Tensor files: the layout of safetensors, written and read with numpy and the standard library.

u64 header length, JSON header, raw little-endian data; 30 lines of parser are easier to check
than a dependency, and one file holds a whole member.
"""

import math
import struct
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
from pydantic import Field, JsonValue, NonNegativeInt, ValidationError

from bundle import limits, strictjson
from bundle.refusal import BundleRefused, require
from contract.canonical_json import canonical_json
from contract.strict import Strict

Array = npt.NDArray[Any]
MemberKind = Literal["tree", "dense"]

# Fields of one node; see _flatforest.c for their meaning.
NODE = np.dtype([("threshold", "<f8"), ("child", "<u4"), ("feature", "<u4")])

_TYPES = {"F64": "<f8", "F32": "<f4", "U32": "<u4", "I64": "<i8", "U8": "|u1"}
_CODES = {np.dtype(name): code for code, name in _TYPES.items()}
_META = "__metadata__"
_ALIGNMENT = 8


@dataclass(frozen=True)
class Tensors:
    """One member as data: what a converter makes, `bundle.write` stores, a reader evaluates."""

    kind: MemberKind
    arrays: dict[str, Array]
    meta: dict[str, JsonValue]


class _Entry(Strict):
    dtype: Literal["F64", "F32", "U32", "I64", "U8"]
    shape: tuple[NonNegativeInt, ...] = Field(max_length=4)
    data_offsets: tuple[NonNegativeInt, NonNegativeInt]


def pack(tensors: Tensors) -> bytes:
    """Return the bytes of the file; equal tensors give equal bytes."""
    header: dict[str, JsonValue] = {_META: {"meta": canonical_json(tensors.meta).decode()}}
    blobs = []
    position = 0
    for name, array in sorted(tensors.arrays.items()):
        raw = np.ascontiguousarray(array)
        if raw.dtype == NODE:
            raw = raw.view("|u1").reshape(-1)
        header[name] = {
            "dtype": _CODES[raw.dtype],
            "shape": list(raw.shape),
            "data_offsets": [position, position + raw.nbytes],
        }
        blobs.append(raw.tobytes())
        position += raw.nbytes
    text = canonical_json(header)
    text += b" " * (-len(text) % _ALIGNMENT)
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def unpack(data: bytes, kind: MemberKind, name: str) -> Tensors:
    """Return the tensors in `data`, the content of the file `name`.

    The arrays are read-only views of `data`, and may be misaligned.

    Raises:
        BundleRefused: when the header or an offset is not what `pack` writes.
    """
    require(_ALIGNMENT <= len(data) <= limits.FILE_BYTES, f"{name}: {len(data)} bytes")
    (length,) = struct.unpack_from("<Q", data)
    start = _ALIGNMENT + length
    fits = length <= limits.TENSOR_HEADER_BYTES and start <= len(data)
    require(fits, f"{name}: a header of {length} bytes does not fit; write the bundle anew")
    header = strictjson.parse_object(data[_ALIGNMENT:start], name)
    try:
        meta = strictjson.parse_object(_meta_text(header), name)
        entries = {key: _Entry.model_validate(entry) for key, entry in header.items()}
    except (ValidationError, KeyError, TypeError, AttributeError) as error:
        sentence = f"{name} is no tensor file ({type(error).__name__}); write the bundle anew"
        raise BundleRefused(sentence) from error
    arrays = {}
    end = 0
    for key, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        first, past = entry.data_offsets
        size = np.dtype(_TYPES[entry.dtype]).itemsize
        follows = first == end and first <= past <= len(data) - start
        filled = math.prod(entry.shape) * size == past - first
        require(follows and filled, f"{name}: tensor {key!r} is out of place; write it anew")
        flat = np.frombuffer(data, _TYPES[entry.dtype], (past - first) // size, start + first)
        arrays[key] = _nodes(flat, name) if key == "nodes" else flat.reshape(entry.shape)
        end = past
    require(end == len(data) - start, f"{name}: {len(data) - start - end} bytes too many")
    return Tensors(kind, arrays, meta)


def _meta_text(header: dict[str, JsonValue]) -> bytes:
    metadata = cast("dict[str, str]", header.pop(_META))
    return metadata["meta"].encode()


def _nodes(flat: Array, name: str) -> Array:
    fits = flat.dtype == np.uint8 and flat.size % NODE.itemsize == 0
    require(fits, f"{name}: the node table is not a whole number of nodes")
    return flat.view(NODE)
