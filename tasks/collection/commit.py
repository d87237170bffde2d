"""Collect one source exactly once: write the part, then move HEAD.json.

A part is immutable, and unknown until HEAD.json names it, so a run may die anywhere: before the
swap nothing has happened, after it the run is done. A run that loses the swap reads again.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from contract.artifacts import Table
from contract.errors import Conflict, TryAgain
from contract.log import log
from contract.store.client import Store
from contract.store.layout import LandedPartKey
from contract.store.source_head import LandedPart, SourceHead, commit, read_head
from methods.tables.parquet import write_file
from tasks.collection.readers.base import Load, Reader, Reading

ATTEMPTS = 10  # arbitrary; a problem has one run at a time, so that two writers are an accident


def collect(
    store: Store,
    problem: str,
    name: str,
    reader: Reader,
    *,
    run: str,
    window_end: datetime,
    scratch: Path,
) -> tuple[SourceHead, int]:
    """Commit what is new of a source; return the head as of this run and its new rows.

    A run that was committed before changes nothing and returns its own snapshot.

    Raises:
        TryAgain: other runs won every time.
        InvalidRequest, Refused: as the reader says.
    """
    for _ in range(ATTEMPTS):
        head, etag = read_head(store, problem, name)
        generation = head.generation_of(run)
        if generation is not None:
            log("collection").info("committed before", source=name, run=run)
            return head.until(generation), 0
        with reader.open(head, window_end) as reading:
            if reading is None:
                return head, 0
            part, load = _write(store, partial(LandedPartKey, problem, name, run), reading, scratch)
        if part.rows == 0:
            return head, 0
        try:
            moved = commit(store, problem, name, _next(head, run, part, load), etag)
        except Conflict:
            log("collection").info("another run was first", source=name, run=run)
            continue
        return moved, part.rows
    sentence = (
        f"Other runs collected the source {name!r} {ATTEMPTS} times meanwhile; wait for them."
    )
    raise TryAgain(sentence)


def _next(head: SourceHead, run: str, table: Table, load: Load) -> SourceHead:
    generation = head.generation + 1
    part = LandedPart(run=run, generation=generation, table=table)
    return SourceHead(
        generation=generation,
        watermark=load.watermark,
        columns=load.columns,
        parts=(part,) if load.replaces else (*head.parts, part),
        files=load.files,
    )


def _write(
    store: Store, key_of: Callable[[str], LandedPartKey], reading: Reading, scratch: Path
) -> tuple[Table, Load]:
    """Write a load's rows to an immutable object that is named by its own sha256."""
    path = scratch / "part.parquet"
    rows = write_file(path, reading.batches(), reading.schema)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = str(key_of(digest))
    if rows:
        store.put_file(key, path)
    size = path.stat().st_size
    return Table(uri=store.uri(key), sha256=digest, bytes=size, rows=rows), reading.load()
