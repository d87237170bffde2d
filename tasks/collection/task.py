"""Collect what is new of every source, exactly once, and name all there is.

Takes    problem, run
Makes    snapshot         of each source: its generation, its columns' meaning, its raw parts
Facts    rows, new_rows   rows in the parts, an updated one as often as it was read; of this run
Refuses  a source whose columns have changed, a file that cannot be read, a source without a row
Source   Kleppmann, "Designing Data-Intensive Applications", 2017, chapter 11 (idempotence)
"""

import os

from contract.artifacts import Document
from contract.errors import Refused
from contract.runtime.inputs import read_problem_and_run
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict
from methods.tables.snapshot import Snapshot, SourceSnapshot
from tasks.collection.commit import collect
from tasks.collection.readers import reader_of
from tasks.collection.readers.base import ReadOptions


class Inputs(Strict):
    """What the task takes."""

    problem: Document
    run: Document


class Params(Strict):
    """It has none: everything stands in the problem."""


class Outputs(Strict):
    """What the task makes."""

    snapshot: Document
    rows: int
    new_rows: int


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Collect every source in the order of the problem file."""
    problem, run = read_problem_and_run(out.store, inputs)
    sources: dict[str, SourceSnapshot] = {}
    new_rows = 0
    for name, source in problem.source.items():
        scratch = out.scratch / name
        scratch.mkdir()
        reader = reader_of(name, source, ReadOptions(os.environ, scratch, problem.timezone))
        head, new = collect(
            out.store,
            problem.name,
            name,
            reader,
            run=run.run_id,
            window_end=run.window_end,
            scratch=scratch,
        )
        if not head.parts:
            sentence = (
                f"The source {name!r} has no row that was known by "
                f"{run.window_end.isoformat()}; choose a later `window_end`, or wait for data."
            )
            raise Refused(sentence)
        new_rows += new
        sources[name] = SourceSnapshot(
            generation=head.generation,
            key=source.key,
            cursor=source.cursor,
            event_time=source.event_time,
            known_at=source.known_at,
            parts=tuple(part.table for part in head.parts),
        )
    return Outputs(
        snapshot=out.document("snapshot", Snapshot(sources=sources)),
        rows=sum(part.rows for source in sources.values() for part in source.parts),
        new_rows=new_rows,
    )


task = Task("collection", run)
