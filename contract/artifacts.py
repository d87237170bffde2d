"""What stages hand to one another: a URI and the sha256 of the bytes behind it, never "newest".

An artifact has no content of its own; `contract.store.client.Store` reads and checks it.
"""

from typing import Annotated

from pydantic import Field, NonNegativeInt, StringConstraints

from contract.strict import Strict

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Uri = Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$")]


class Artifact(Strict):
    """Bytes in the store that never change."""

    uri: Uri
    sha256: Sha256
    bytes: NonNegativeInt


class Document(Artifact):
    """A JSON value in its canonical spelling."""


class Page(Artifact):
    """A self-contained HTML page for a person."""


class Blob(Artifact):
    """Bytes in a format that only one stage understands."""


class Table(Artifact):
    """A Parquet file (zstd)."""

    rows: NonNegativeInt


class Bundle(Artifact):
    """A model bundle: `uri` is its folder, `sha256` the digest of its `manifest.json`.

    `bytes` counts the manifest and every file that it lists.
    """

    bytes: NonNegativeInt = Field(description="manifest and files together")

    @property
    def digest(self) -> str:
        """The model's name everywhere: the sha256 of its manifest."""
        return self.sha256
