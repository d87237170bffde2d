"""What a reader of a source is given, what it gives to the commit, and what it must check."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from contract.errors import InvalidRequest, Refused
from contract.messages import no_such_column
from contract.problem.sources.base import SourceBase
from contract.store.source_head import FileVersion, SourceHead
from contract.strict import Strict
from methods.tables.snapshot import ADDED, LOAD

SHOWN_CHANGES = 20  # in one sentence; a source that was replaced has too many to read


@dataclass(frozen=True)
class ReadOptions:
    """What a reader may use beside the source's own keys."""

    environment: Mapping[str, str]
    """Where connection strings and folders are, by the source's `environment_names`."""
    scratch: Path
    """A folder of the load's own that is gone afterwards."""
    timezone: str = "UTC"
    """The problem's; of times that are written without an offset."""


class Load(Strict):
    """What is known of a load once its batches are read to the end."""

    columns: dict[str, str]
    watermark: str | None
    files: dict[str, FileVersion] = Field(default_factory=dict)
    replaces: bool = False
    """True: the load is the whole source, and the parts before it no longer count."""


class Reading(Protocol):
    """One load in progress: the batches first, then the load's summary."""

    schema: pa.Schema
    """Of the batches, with the column `perennial_load`."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the load's rows in flat memory."""
        ...

    def load(self) -> Load:
        """Return what was read; called after the last batch."""
        ...


class Reader(Protocol):
    """Reads one source; made as `reader(name, source, options)`."""

    def open(
        self, head: SourceHead, window_end: datetime
    ) -> AbstractContextManager[Reading | None]:
        """Begin to read what is new since `head`; None where nothing is.

        Raises:
            InvalidRequest: a column or query that the source does not know.
            Refused: the source's columns are not what they were.
            TryAgain: the source does not answer.
        """
        ...


def expand(pattern: str, environment: Mapping[str, str]) -> str:
    """Put the environment's values in place of `${NAME}`; the path is absolute.

    Raises:
        InvalidRequest: a name is not set.
    """
    try:
        path = Template(pattern).substitute(environment)
    except KeyError as error:
        sentence = (
            f"The path {pattern!r} names {error.args[0]}, which is not set in the environment; "
            "set it to the folder where the data are."
        )
        raise InvalidRequest(sentence) from error
    except ValueError as error:
        raise InvalidRequest(f"The path {pattern!r} cannot be expanded: {error}.") from error
    return str(Path(path).absolute())


def check_columns(source: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse a source whose columns have changed; their order does not matter.

    Raises:
        Refused: with the difference, a column a line: `+` is new, `-` is gone, `~` is changed.
        InvalidRequest: a column has a name that collection itself adds.
    """
    reserved = [name for name in now if name in ADDED]
    if reserved:
        sentence = f"The source {source!r} has the column {reserved[0]!r}, a name that collection itself adds; rename it."
        raise InvalidRequest(sentence)
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
        f"{'; '.join(lines[:SHOWN_CHANGES])}. Restore them at the source, or collect under a new name."
    )
    raise Refused(sentence)


def check_declared(name: str, source: SourceBase, columns: Mapping[str, str]) -> None:
    """Refuse a source whose problem file names a column that is not there.

    Raises:
        InvalidRequest: one is not.
    """
    for column in source.declared_columns:
        if column not in columns:
            raise InvalidRequest(
                no_such_column(f"The source {name!r}", column, columns, named_by="the problem file")
            )


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
