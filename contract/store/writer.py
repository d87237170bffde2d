"""Where a task writes: under its own prefix, each key holding its own sha256."""

import hashlib
import shutil
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from contract.artifacts import Artifact, Blob, Bundle, Document, Page, Table
from contract.canonical_json import canonical_json, sha256
from contract.store.client import CHUNK_BYTES, Store
from contract.store.layout import (
    MANIFEST,
    ModelFileKey,
    OutputKey,
    bundle_prefix,
    parse_stage_prefix,
)

Kind = TypeVar("Kind", bound=Artifact)

# Enough of a digest to tell outputs of one name apart; the artifact holds all 64 characters.
SHORT = 16


class Out:
    """Writes a task's outputs.

    `store` reads inputs, `scratch` is a folder of the task's own that is gone afterwards.
    """

    def __init__(self, store: Store, prefix: str, scratch: Path) -> None:
        """Write under `prefix`, which is PROBLEM/runs/RUN/STAGE.

        Raises:
            InvalidRequest: it is not.
        """
        self.store = store
        self.scratch = scratch
        manifest = parse_stage_prefix(prefix)
        self.problem = manifest.problem
        self.run = manifest.run
        self.stage = manifest.stage

    def document(self, name: str, value: Any) -> Document:  # noqa: ANN401 - any JSON value
        """Write a JSON value or a pydantic model, canonically."""
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        return self._bytes(Document, name, ".json", canonical_json(plain), "application/json")

    def page(self, name: str, html: str) -> Page:
        """Write a page for a person."""
        return self._bytes(Page, name, ".html", html.encode(), "text/html; charset=utf-8")

    def table(self, name: str, path: Path, rows: int) -> Table:
        """Write the Parquet file at `path`, which has `rows` rows."""
        uri, digest, size = self._file(name, ".parquet", path)
        return Table(uri=uri, sha256=digest, bytes=size, rows=rows)

    def blob(self, name: str, path: Path, suffix: str = ".bin") -> Blob:
        """Write the file at `path` as it is."""
        uri, digest, size = self._file(name, suffix, path)
        return Blob(uri=uri, sha256=digest, bytes=size)

    def bundle(self, folder: Path, digest: str) -> Bundle:
        """Write a model bundle under its own digest, its manifest last.

        The same digest means the same bytes, so writing it again changes nothing.
        """
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        files.sort(key=lambda path: path.name == MANIFEST)
        for path in files:
            name = path.relative_to(folder).as_posix()
            self.store.put_file(str(ModelFileKey(self.problem, digest, name)), path)
        size = sum(path.stat().st_size for path in files)
        uri = self.store.uri(bundle_prefix(self.problem, digest))
        return Bundle(uri=uri, sha256=digest, bytes=size)

    def _bytes(
        self, kind: type[Kind], name: str, suffix: str, body: bytes, content_type: str
    ) -> Kind:
        digest = sha256(body)
        key = self._key(name, digest, suffix)
        self.store.put(key, body, content_type)
        return kind(uri=self.store.uri(key), sha256=digest, bytes=len(body))

    def _file(self, name: str, suffix: str, path: Path) -> tuple[str, str, int]:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        hexadecimal = digest.hexdigest()
        key = self._key(name, hexadecimal, suffix)
        self.store.put_file(key, path)
        return self.store.uri(key), hexadecimal, path.stat().st_size

    def _key(self, name: str, digest: str, suffix: str) -> str:
        file = f"{name}-{digest[:SHORT]}{suffix}"
        return str(OutputKey(self.problem, self.run, self.stage, file))

    def close(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.scratch, ignore_errors=True)
