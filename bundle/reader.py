"""Read a bundle that may be damaged or hostile: everything wrong with it ends in `BundleRefused`.

The order of the checks is the defence: sizes before any parse, then the pinned digest and the
signature over the manifest, then length and sha256 of each file, strict JSON, tensor offsets,
every node, shapes, and at last the golden rows.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from bundle import golden, limits, signing, strictjson, tensors
from bundle.documents import BundleManifest, Card, Contract, FileEntry, Golden, ModelDocument
from bundle.model import Model
from bundle.plans import EncoderDocument
from bundle.refusal import BundleRefused, require
from bundle.tensors import Tensors
from contract.canonical_json import sha256

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
DOCUMENTS = ("card", "contract", "encoder", "golden", "model", "profile")

Kind = TypeVar("Kind", bound=BaseModel)

_MEMBER = re.compile(r"members/[a-z0-9_]{1,40}\.(tree|dense)")


def load(folder: Path, *, digest: str | None = None, keys: Sequence[bytes] | None = None) -> Model:
    """Return the model in `folder`, verified.

    `digest` pins the sha256 of the manifest; `keys` are public PEMs, one of which must have
    signed it. At least one of the two is needed, both are checked when both are given.

    Raises:
        BundleRefused: for anything that is not a complete, trusted bundle reproducing its golden rows.
    """
    with _reading(None):
        with _reading(MANIFEST):
            manifest = _read(folder / MANIFEST, limits.MANIFEST_BYTES)
        actual = sha256(manifest)
        trusted = digest is not None or keys is not None
        require(trusted, "neither a digest nor a key to trust the bundle by; give one")
        same = digest in {None, actual}
        require(same, f"the manifest's sha256 is {actual}, expected {digest}", MANIFEST)
        if keys is not None:
            with _reading(SIGNATURE):
                signature = _read(folder / SIGNATURE, limits.SIGNATURE_BYTES)
                signing.verify(keys, signature, manifest)
        files = read_manifest(manifest).files
        return _assemble(folder, files, actual)


def read_manifest(data: bytes) -> BundleManifest:
    """Return the manifest in `data`, its names and sizes checked.

    Raises:
        BundleRefused: when a name is not one of a bundle, a file is missing or a size is too large.
    """
    with _reading(MANIFEST):
        manifest = BundleManifest.model_validate(strictjson.parse_object(data, MANIFEST))
        documents = {f"{name}.json" for name in DOCUMENTS}
        for name, entry in manifest.files.items():
            known = name in documents or _MEMBER.fullmatch(name) is not None
            require(known, f"a bundle has no file {name[:80]!r}; write it anew")
            largest = limits.JSON_BYTES if name in documents else limits.FILE_BYTES
            require(entry.bytes <= largest, f"{name} of {entry.bytes} bytes is too large")
        absent = sorted(documents - manifest.files.keys())
        require(not absent, f"the bundle has no {absent}; write it anew")
        total = sum(entry.bytes for entry in manifest.files.values())
        require(total <= limits.TOTAL_BYTES, f"the bundle of {total} bytes is too large")
    return manifest


def check_file(name: str, data: bytes, entry: FileEntry) -> None:
    """Go on only if the bytes are those that the manifest lists.

    Raises:
        BundleRefused: when length or sha256 differ.
    """
    same = len(data) == entry.bytes and sha256(data) == entry.sha256
    require(same, f"{name} is not the file that the manifest lists; restore the bundle", name)


def _assemble(folder: Path, files: dict[str, FileEntry], digest: str) -> Model:
    content = {}
    for name, entry in files.items():
        with _reading(name):
            content[name] = _read(folder / name, entry.bytes)
        check_file(name, content[name], entry)
    members: dict[str, Tensors] = {}
    for name, data in content.items():
        if not name.endswith(".json"):
            with _reading(name):
                is_tree = name.endswith(".tree")
                members[name] = tensors.unpack(data, "tree" if is_tree else "dense", name)
    model = Model(
        document=_document(content, "model.json", ModelDocument),
        encoder=_document(content, "encoder.json", EncoderDocument),
        members=members,
        contract=_document(content, "contract.json", Contract),
        digest=digest,
        card=_document(content, "card.json", Card),
        profile=_json(content, "profile.json"),
        golden=_document(content, "golden.json", Golden),
    )
    golden.check(model, model.golden)
    return model


def _json(content: Mapping[str, bytes], name: str) -> JsonValue:
    with _reading(name):
        return strictjson.parse(content[name], name)


def _document(content: Mapping[str, bytes], name: str, kind: type[Kind]) -> Kind:
    value = _json(content, name)
    with _reading(name):
        return kind.model_validate(value)


@contextmanager
def _reading(file: str | None) -> Iterator[None]:
    """Turn whatever is wrong with a file into a refusal of it; None: with several at once."""
    try:
        yield
    except BundleRefused as error:
        error.file = error.file or file
        raise
    except ValidationError as error:
        name = file or "a document of the bundle"
        sentence = f"{name} is not valid: {_first(error)}; write the bundle anew"
        raise BundleRefused(sentence, file) from error
    except OSError as error:
        name = Path(str(error.filename)).name
        sentence = f"the bundle's {name} cannot be read ({error.strerror}); fetch it anew"
        raise BundleRefused(sentence, file) from error
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        sentence = f"the bundle cannot be read ({type(error).__name__}: {str(error)[:120]})"
        raise BundleRefused(sentence, file) from error


def _read(path: Path, limit: int) -> bytes:
    """Read a plain file of at most `limit` bytes; a link, a pipe or a longer file is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        require(stat.S_ISREG(os.fstat(handle).st_mode), f"{path.name} is not a plain file")
        data = file.read(limit + 1)
    require(len(data) <= limit, f"{path.name} is longer than {limit} bytes")
    return data


def _first(error: ValidationError) -> str:
    """Return the first error: its location, and pydantic's message."""
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"[:200]
