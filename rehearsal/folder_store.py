"""A store without a server: the keys of a bucket as files of a folder.

One process reads and writes it, so that a compare-and-swap is no race. A file appears whole or not
at all, so that a process that is killed leaves a store that the next one can read.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from contract.artifacts import Artifact
from contract.errors import Conflict, NotFound
from contract.store.client import Store
from contract.store.stored_object import ObjectHead, StoredObject


class FolderStore(Store):
    """The store's interface on a folder; nothing of S3, nothing checked that no stage asks for."""

    def __init__(self, bucket: str, folder: Path) -> None:
        self.bucket = bucket
        self._folder = folder

    def head(self, key: str) -> ObjectHead | None:
        """Return size and ETag, or None."""
        path = self._folder / key
        return ObjectHead(bytes=path.stat().st_size, etag=_etag(path)) if path.is_file() else None

    def get(self, key: str) -> bytes:
        """Return the bytes."""
        path = self._folder / key
        if not path.is_file():
            raise NotFound(f"There is no {key!r}.")
        return path.read_bytes()

    def get_with_etag(self, key: str) -> tuple[bytes, str] | None:
        """Return bytes and ETag, or None."""
        path = self._folder / key
        return (path.read_bytes(), _etag(path)) if path.is_file() else None

    def put(self, key: str, body: bytes, content_type: str = "") -> None:
        """Write the bytes."""
        del content_type
        partial = self._partial(key)
        partial.write_bytes(body)
        partial.replace(self._folder / key)

    def put_file(self, key: str, path: Path, content_type: str = "") -> None:
        """Copy the file in."""
        del content_type
        partial = self._partial(key)
        shutil.copyfile(path, partial)
        partial.replace(self._folder / key)

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write if the ETag still holds; one process writes, so this is no race."""
        path = self._folder / key
        if (_etag(path) if path.is_file() else None) != etag:
            raise Conflict(key)
        self.put(key, body)
        return _etag(path)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Yield the keys, sorted; only the folders that can hold such keys are listed."""
        root = self._folder / prefix.rpartition("/")[0]
        found = [key for key in self._below(root, prefix, start_after) if key > start_after]
        yield from sorted(found)

    def objects(self, prefix: str, start_after: str = "") -> Iterator[StoredObject]:
        """Yield the objects, sorted; a file's age stands for its content, which is not read."""
        for key in self.keys(prefix, start_after):
            at = (self._folder / key).stat()
            yield StoredObject(key=key, bytes=at.st_size, etag=f"{at.st_size}-{at.st_mtime_ns}")

    def download(self, key: str, path: Path) -> None:
        """Link the file."""
        if not (self._folder / key).is_file():
            raise NotFound(f"There is no {key!r}.")
        path.symlink_to(self._folder.resolve() / key)

    def delete(self, key: str) -> None:
        """Remove the file."""
        (self._folder / key).unlink(missing_ok=True)

    def fetch(self, artifact: Artifact, folder: Path) -> Path:
        """Return where the file already is."""
        del folder
        return self._folder / self.key(artifact.uri)

    def _partial(self, key: str) -> Path:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")

    def _below(self, folder: Path, prefix: str, start_after: str) -> Iterator[str]:
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                key = Path(entry.path).relative_to(self._folder).as_posix()
                if entry.name.startswith(".") or not key.startswith(prefix):
                    continue
                if not entry.is_dir():
                    yield key
                elif f"{key}/\uffff" > start_after:
                    yield from self._below(Path(entry.path), prefix, start_after)


def _etag(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
