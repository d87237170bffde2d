"""Suggest the folder of a problem from one file of data; it runs without editing.

Takes    nothing
Makes    problem, expectations, readme   the three files; into a local folder where `--out` is one
Facts    rows, task
Refuses  a file that cannot be read, a target that cannot be learned, rows too few for three parts
Source   Schelter et al., "Automating Large-Scale Data Quality Verification", PVLDB 11(12), 2018
"""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from contract.artifacts import Blob, Document
from contract.errors import InvalidRequest, PerennialError, Refused
from contract.facts import TASK_DONE
from contract.learning_task import LearningTask
from contract.log import log
from contract.problem import Problem
from contract.runtime.process import RESULT_VARIABLE
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict
from methods.columns.targets import class_codes, numbers_of
from methods.models.leakage import find_leaks
from methods.tables import sql as duck
from tasks.suggestion.inspection import DataSummary, problem_of, summarise
from tasks.suggestion.render import problem_text, readme_text, suite_of
from tasks.suggestion.split_check import can_be_split


class Inputs(Strict):
    """It takes nothing from another stage."""


class Params(Strict):
    """What a person knows."""

    name: str
    file: str
    """Absolute path of a CSV, JSON lines or Parquet file."""
    target: str
    task: LearningTask | None = None
    """None: inferred from the target's values."""


class Outputs(Strict):
    """What the task makes."""

    problem: Blob
    expectations: Document
    readme: Blob
    rows: int
    task: str


class Files(Strict):
    """The files of the folder, as text."""

    problem: str
    expectations: str
    readme: str
    rows: int
    task: LearningTask


def suggest(params: Params, scratch: Path) -> Files:
    """Inspect the data and write the three files.

    Raises:
        InvalidRequest: the file or the target is not there.
        Refused: nothing can be learned from the data.
    """
    path = Path(params.file)
    with duck.connect(scratch) as connection:
        summary = summarise(connection, path, params.target, params.task)
        text, by_hash = _runnable(params, summary)
        suite = {
            "name": params.name,
            "expectations": suite_of(connection, summary.columns, summary.rows),
        }
    return Files(
        problem=text,
        expectations=json.dumps(suite, indent=2, ensure_ascii=False, default=str) + "\n",
        readme=readme_text(
            name=params.name,
            path=path,
            target=params.target,
            task=summary.task,
            classes=summary.classes,
            rows=summary.rows,
            key=summary.key,
            event_time=summary.event_time,
            by_hash=by_hash,
            columns=summary.columns,
            suspects=_suspects(summary, params.target),
        ),
        rows=summary.rows,
        task=summary.task,
    )


def _runnable(params: Params, summary: DataSummary) -> tuple[str, bool]:
    """Return the problem file whose split works: by time if it can be, else by hash."""
    reason: Refused | None = None
    for by_hash in (False, True) if summary.event_time else (False,):
        text = problem_text(
            name=params.name,
            path=summary.path,
            target=params.target,
            task=summary.task,
            key=summary.key,
            event_time=summary.event_time,
            by_hash=by_hash,
        )
        problem: Problem = problem_of(text)
        try:
            can_be_split(summary, problem)
        except Refused as error:
            reason = error
            continue
        return text, by_hash
    assert reason is not None
    raise reason


def _suspects(summary: DataSummary, target: str) -> list[str]:
    values = summary.table[target]
    numbers = (
        class_codes(values, summary.classes, target)
        if summary.classes
        else numbers_of(values, target)
    )
    names = [column.name for column in summary.columns if column.role not in {"id", "constant"}]
    features: pa.Table = summary.table.select(names)
    known = np.isfinite(numbers)
    return [
        finding.sentence
        for finding in find_leaks(features.filter(known), numbers[known], summary.task)
    ]


def run(inputs: Inputs, params: Params, out: Out) -> Outputs:  # noqa: ARG001 - there are none
    """Write the files as artifacts."""
    files = suggest(params, out.scratch)
    paths = {name: out.scratch / name for name in ("problem.yaml", "README.md")}
    paths["problem.yaml"].write_text(files.problem, encoding="utf-8")
    paths["README.md"].write_text(files.readme, encoding="utf-8")
    return Outputs(
        problem=out.blob("problem", paths["problem.yaml"], ".yaml"),
        expectations=out.document("expectations", json.loads(files.expectations)),
        readme=out.blob("readme", paths["README.md"], ".md"),
        rows=files.rows,
        task=files.task,
    )


class Suggestion(Task[Inputs, Params, Outputs]):
    """A task that a person runs before there is a store: it may write into a local folder."""

    def main(self, arguments: Sequence[str]) -> int:
        """Write into the folder `--out`, or as any task where that is an address of the store."""
        options = self._parse(arguments)
        if options.out.startswith("s3://"):
            return super().main(arguments)
        try:
            params = _parameters(options.params)
            with tempfile.TemporaryDirectory(prefix="suggestion-") as scratch:
                files = suggest(params, Path(scratch))
        except PerennialError as error:
            result_file = os.environ.get(RESULT_VARIABLE)
            if result_file:
                Path(result_file).write_text(json.dumps({"why": str(error)}), encoding="utf-8")
            log(self.name).error("task ended", exit=error.exit_code, why=str(error))
            return error.exit_code
        folder = Path(options.out)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("problem.yaml", files.problem),
            ("expectations.json", files.expectations),
            ("README.md", files.readme),
        ):
            (folder / name).write_text(text, encoding="utf-8")
        log(self.name).info(TASK_DONE, task=self.name, out=options.out, rows=files.rows)
        return 0


def _parameters(text: str) -> Params:
    try:
        return Params.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "--params"
        raise InvalidRequest(f"suggestion: {field}: {first['msg']}; correct it.") from error


task = Suggestion("suggestion", run)
