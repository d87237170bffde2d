"""HEAD.json: what is committed of one source; the only thing that readers of raw data trust.

A landed part is immutable and unknown until HEAD.json, moved by compare-and-swap, names it. A crash
before the swap leaves a part that nobody reads; a crash after it leaves a run that, when it is run
again, finds itself committed.
"""

import uuid

from pydantic import Field

from contract.artifacts import Table
from contract.store.client import Store
from contract.store.documents import DamagedDocument, read_with_etag
from contract.store.layout import SourceHeadKey
from contract.strict import Strict


class LandedPart(Strict):
    """One load's rows."""

    run: str
    generation: int
    table: Table


class FileVersion(Strict):
    """A file that was read, or the rest of one that was not known in full yet."""

    size: int
    modified: int
    """Nanoseconds since 1970, of the file system."""
    sha256: str
    complete: bool
    """False where rows were left out that were not known at the window's end."""


class SourceHead(Strict):
    """The committed state of a source."""

    generation: int = 0
    nonce: str = ""
    """New in every body: an ETag is a digest, and equal bodies would hide a write."""
    watermark: str | None = None
    """The greatest cursor seen, as text; what grows is read from here, less the lag."""
    columns: dict[str, str] = Field(default_factory=dict)
    """The source's columns and their types, as its reader names them, since the first load."""
    parts: tuple[LandedPart, ...] = ()
    """Oldest first."""
    files: dict[str, FileVersion] = Field(default_factory=dict)
    """By the path below the fixed part of the pattern."""

    def generation_of(self, run: str) -> int | None:
        """Return the generation that a run committed, or None where it did not."""
        return next((part.generation for part in self.parts if part.run == run), None)

    def until(self, generation: int) -> "SourceHead":
        """Return the head as a snapshot of that generation sees it: without later parts."""
        kept = tuple(part for part in self.parts if part.generation <= generation)
        return self.model_copy(update={"generation": generation, "parts": kept})


def read_head(store: Store, problem: str, source: str) -> tuple[SourceHead, str | None]:
    """Return the committed state and its ETag; an empty one and None before the first load.

    Raises:
        DamagedDocument: nobody knows what is committed.
    """
    key = str(SourceHeadKey(problem, source))
    stored = read_with_etag(store, key, SourceHead)
    if stored is None:
        return SourceHead(), None
    head, etag = stored
    # Every field has a default, so that an empty object would read as "nothing was ever collected".
    if not head.generation or not head.nonce:
        raise DamagedDocument(key, "SourceHead", "generation and nonce: one of them is missing")
    return head, etag


def commit(
    store: Store, problem: str, source: str, head: SourceHead, etag: str | None
) -> SourceHead:
    """Move HEAD.json to `head`, with a new nonce: the commit point.

    Raises:
        Conflict: another run was first; nothing has changed.
    """
    fresh = head.model_copy(update={"nonce": uuid.uuid4().hex})
    store.swap(str(SourceHeadKey(problem, source)), fresh.canonical(), etag)
    return fresh
