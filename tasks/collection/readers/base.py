"""What a reader of a source gives to the commit, and what any reader must check."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from contract.errors import AskedWrongly, Refused
from contract.store.source_head import FileVersion, SourceHead
from contract.strict import Strict
from methods.tables.snapshot import ADDED, LOAD

LINES = 20  # of a difference; a source that was replaced has too many to read


class Load(Strict):
    """What is known of a load once its batches are read to the end."""

    columns: dict[str, str]
    watermark: str | None
    files: dict[str, FileVersion] = Field(default_factory=dict)
    replaces: bool = False
    """True: the load is the whole source, and the parts before it no longer count."""


class Reading(Protocol):
    """One load in progress: the batches first, then what they amount to."""

    schema: pa.Schema
    """Of the batches, with the column `perennial_load`."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the load's rows in flat memory."""
        ...

    def load(self) -> Load:
        """Return what was read; called after the last batch."""
        ...


class Reader(Protocol):
    """A kind of source."""

    def open(
        self, head: SourceHead, window_end: datetime
    ) -> AbstractContextManager[Reading | None]:
        """Begin to read what is new since `head`; None where nothing is.

        Raises:
            AskedWrongly: a column or query that the source does not know.
            Refused: the source's columns are not what they were.
            TryAgain: the source does not answer.
        """
        ...


def check_columns(source: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse a source whose columns have changed; their order does not matter.

    Raises:
        Refused: with the difference, a column a line: `+` is new, `-` is gone, `~` is changed.
        AskedWrongly: a column has a name that is ours.
    """
    ours = [name for name in now if name in ADDED]
    if ours:
        sentence = f"The source {source!r} has the column {ours[0]!r}, which we add; rename it."
        raise AskedWrongly(sentence)
    if not before or dict(before) == dict(now):
        return
    lines = [f"+ {name} {kind}" for name, kind in now.items() if name not in before]
    lines += [f"- {name} {kind}" for name, kind in before.items() if name not in now]
    lines += [
        f"~ {name} {before[name]} -> {kind}"
        for name, kind in now.items()
        if name in before and before[name] != kind
    ]
    sentence = (
        f"The columns of the source {source!r} have changed since the first load: "
        f"{'; '.join(lines[:LINES])}. Restore them at the source, or collect under a new name."
    )
    raise Refused(sentence)


def check_declared(source: str, declared: Iterable[str], columns: Mapping[str, str]) -> None:
    """Refuse a declaration of columns that are not there.

    Raises:
        AskedWrongly: one is not.
    """
    for name in declared:
        if name not in columns:
            known = ", ".join(map(repr, columns))
            sentence = (
                f"The source {source!r} has no column {name!r}, which the problem file names; "
                f"it has {known}. Correct the name."
            )
            raise AskedWrongly(sentence)


def with_load(schema: pa.Schema) -> pa.Schema:
    """Return a schema with the load's column behind the others."""
    return schema.append(pa.field(LOAD, pa.string()))


def greatest(so_far: str | None, column: pa.Array) -> str | None:
    """Return the greater of a watermark and a column's greatest value, as text."""
    value = pc.max(column).as_py()
    if value is None:
        return so_far
    if so_far is None:
        return str(value)
    if isinstance(value, datetime):
        return max(so_far, str(value), key=datetime.fromisoformat)
    if isinstance(value, int | float):
        return str(max(type(value)(so_far), value))
    return max(so_far, str(value))
