"""A store without a server: the keys of a bucket as files of a folder, for the bare script."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from contract.artifacts import Artifact
from contract.errors import Conflict, NotFound
from contract.store.client import Store
from contract.store.stored_object import ObjectHead, StoredObject


class FolderStore(Store):
    """The store's words on a folder; nothing of S3, nothing checked that no stage asks for."""

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
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def put_file(self, key: str, path: Path, content_type: str = "") -> None:
        """Move the file in."""
        del content_type
        place = self._folder / key
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())

    def swap(self, key: str, body: bytes, etag: str | None) -> str:
        """Write if the ETag still holds; one process writes, so this is no race."""
        path = self._folder / key
        if (_etag(path) if path.is_file() else None) != etag:
            raise Conflict(key)
        self.put(key, body)
        return _etag(path)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Yield the keys, sorted."""
        paths = (path for path in self._folder.rglob("*") if path.is_file())
        names = sorted(path.relative_to(self._folder).as_posix() for path in paths)
        yield from (name for name in names if name.startswith(prefix) and name > start_after)

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


def _etag(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
