"""Bring a bundle from the store into a local folder of its digest, completely or not at all."""

import re
import shutil
import tempfile
from pathlib import Path

from bundle import limits
from bundle.documents import BundleManifest
from bundle.reader import MANIFEST, SIGNATURE, check_file, read_manifest
from bundle.refusal import BundleRefused, require
from contract.canonical_json import sha256
from contract.errors import NotFound
from contract.store.client import Store
from contract.store.layout import ModelFileKey

_DIGEST = re.compile(r"[0-9a-f]{64}")  # it becomes a path


def fetch(store: Store, problem: str, digest: str, cache: Path) -> Path:
    """Return `cache`/`digest` with every file of the bundle, each checked against the manifest.

    A folder that is already there and complete is used again; a damaged one is replaced. Several
    processes may fetch at once: a temporary folder beside it is filled and then renamed.

    Raises:
        NotFound: when the store has no such bundle.
        BundleRefused: when a file is not the one that the digest stands for.
        TryAgain: when the store cannot be reached.
    """
    require(_DIGEST.fullmatch(digest) is not None, f"{digest[:80]!r} is no sha256 of a manifest")
    folder = cache / digest
    if _is_complete(folder, digest):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{digest[:12]}-", dir=cache))
    try:
        _download(store, problem, digest, partial)
        _move(partial, folder, digest)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _download(store: Store, problem: str, digest: str, folder: Path) -> None:
    def key(name: str) -> str:
        return str(ModelFileKey(problem, digest, name))

    manifest = _get(store, key(MANIFEST), limits.MANIFEST_BYTES)
    files = _manifest(manifest, digest).files
    (folder / "members").mkdir()
    for name, entry in files.items():
        data = _get(store, key(name), entry.bytes)
        check_file(name, data, entry)
        (folder / name).write_bytes(data)
    if store.head(key(SIGNATURE)) is not None:
        signature = _get(store, key(SIGNATURE), limits.SIGNATURE_BYTES)
        (folder / SIGNATURE).write_bytes(signature)
    (folder / MANIFEST).write_bytes(manifest)


def _get(store: Store, key: str, limit: int) -> bytes:
    """Read an object after its size was checked: a large one must not fill the memory."""
    head = store.head(key)
    if head is None:
        sentence = f"the store has no {key}, which the model needs; deploy another one"
        raise NotFound(sentence)
    require(head.bytes <= limit, f"{key} of {head.bytes} bytes is longer than {limit}")
    return store.get(key)


def _manifest(data: bytes, digest: str) -> BundleManifest:
    actual = sha256(data)
    require(actual == digest, f"the manifest's sha256 is {actual}, expected {digest}")
    return read_manifest(data)


def _move(partial: Path, folder: Path, digest: str) -> None:
    try:
        partial.rename(folder)
    except OSError:  # the folder is there: from another process, or a damaged copy
        if _is_complete(folder, digest):
            return
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)


def _is_complete(folder: Path, digest: str) -> bool:
    try:
        manifest = _manifest((folder / MANIFEST).read_bytes(), digest)
        for name, entry in manifest.files.items():
            check_file(name, (folder / name).read_bytes(), entry)
    except (OSError, BundleRefused):
        return False
    return True
