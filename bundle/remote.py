"""Bring a bundle from the store into a local folder of its digest, completely or not at all.

Whatever is wrong with a bundle of the store is one sentence that names the key at fault.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bundle import limits
from bundle.documents import BundleManifest
from bundle.model import Model
from bundle.reader import MANIFEST, SIGNATURE, check_file, load, read_manifest
from bundle.refusal import BundleRefused, require
from contract.canonical_json import sha256
from contract.errors import NotFound
from contract.store.client import Store
from contract.store.layout import ModelFileKey

_DIGEST = re.compile(r"[0-9a-f]{64}")  # it becomes a path


def read_model(
    store: Store, problem: str, digest: str, cache: Path, keys: Sequence[bytes] | None = None
) -> Model:
    """Return the model of a digest, fetched into `cache` and verified as `bundle.load` does.

    A copy that is refused is taken out of the cache, so that a bundle which was restored in the
    store is fetched anew.

    Raises:
        NotFound: when the store has no such bundle.
        BundleRefused: when a file is damaged, gone or not to be trusted; the sentence names its key.
        TryAgain: when the store cannot be reached.
    """
    folder = fetch(store, problem, digest, cache)
    try:
        with _named(problem, digest):
            return load(folder, digest=digest, keys=keys)
    except BundleRefused:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def fetch(store: Store, problem: str, digest: str, cache: Path) -> Path:
    """Return `cache`/`digest` with every file of the bundle, each checked against the manifest.

    A folder that is already there and complete is used again; a damaged one is replaced. Several
    processes may fetch at once: a temporary folder beside it is filled and then renamed.

    Raises:
        NotFound: when the store has no such bundle.
        BundleRefused: when a file is not the one that the digest stands for, or is gone; the
            sentence names its key.
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
    if manifest is None:  # a run writes it last: without it there is no bundle yet
        sentence = f"the store has no {key(MANIFEST)}, which the model needs; deploy another one"
        raise NotFound(sentence)
    with _named(problem, digest):
        files = _manifest(manifest, digest).files
    (folder / "members").mkdir()
    for name, entry in files.items():
        data = _get(store, key(name), entry.bytes)
        with _named(problem, digest):
            if data is None:
                raise BundleRefused("the store has no such file; restore it", name)
            check_file(name, data, entry)
        (folder / name).write_bytes(data)
    signature = _get(store, key(SIGNATURE), limits.SIGNATURE_BYTES)
    if signature is not None:
        (folder / SIGNATURE).write_bytes(signature)
    (folder / MANIFEST).write_bytes(manifest)


def _get(store: Store, key: str, limit: int) -> bytes | None:
    """Return an object after its size was checked: a large one must not fill the memory."""
    head = store.head(key)
    if head is None:
        return None
    sentence = f"{key} of {head.bytes} bytes is longer than {limit}; restore it"
    require(head.bytes <= limit, sentence)
    return store.get(key)


@contextmanager
def _named(problem: str, digest: str) -> Iterator[None]:
    """Have a refusal name the key of the file at fault; of no single one, that of the manifest."""
    try:
        yield
    except BundleRefused as error:
        key = ModelFileKey(problem, digest, error.file or MANIFEST)
        sentence = " ".join(f"{key} is refused: {error}".split())
        raise BundleRefused(sentence, error.file) from error


def _manifest(data: bytes, digest: str) -> BundleManifest:
    actual = sha256(data)
    require(actual == digest, f"the manifest's sha256 is {actual}, expected {digest}", MANIFEST)
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
