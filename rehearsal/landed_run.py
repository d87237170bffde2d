"""What the user's landed rows become: one run of the real stages on them, once for all scenarios.

Its prepared table is the pool of rows that rehearsed days are drawn from, joins already made; its
model is the truth of the rehearsed world.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import bundle
from bundle.model import Model
from contract.artifacts import Bundle, Document, Table
from contract.problem import Problem, read_problem
from contract.rehearsal import RehearsalRequest
from contract.store.documents import read_artifact
from contract.store.earlier_runs import EarlierStage, earlier_stage
from methods.columns.schema import Schema
from methods.controller.policy import Policy
from methods.drift.profile import ReferenceProfile
from methods.tables.parquet import read_table
from methods.tables.snapshot import LOAD
from rehearsal.folder_store import FolderStore
from rehearsal.kept_state import keep_or_discard
from rehearsal.stage_runs import BEFORE_VERDICT, StageRuns, write_keys

BUCKET = "landed"
RUN = "landed"
STAGES = BEFORE_VERDICT[: BEFORE_VERDICT.index("evaluation")]


@dataclass(frozen=True)
class OwnRows:
    """The pool of rows and the model of their truth."""

    problem: Problem
    table: pa.Table
    """Prepared labelled rows, sorted by event time."""
    schema: Schema
    model: Model
    reference: ReferenceProfile
    """What the model was on rows that it had not seen."""


def prepare_own_rows(request: RehearsalRequest) -> OwnRows:
    """Return the user's rows as the stages prepare them; made once a folder of landed rows.

    Raises:
        Refused, InvalidRequest: a stage cannot go on with these rows.
    """
    landed, problem = Path(request.landed), request.problem
    folder, suite = landed / "run", Path(request.suite)
    keep_or_discard(folder)
    name = str(problem["name"])
    place = folder / "problems" / name
    place.mkdir(parents=True, exist_ok=True)
    sources = {
        source: {**value, "kind": "files", "path": str(_plain_files(landed / source, folder))}
        for source, value in problem["source"].items()
    }
    models = problem.get("models", {}) | {"budget": request.budget}
    file = place / "problem.yaml"
    changed = {**problem, "source": sources, "models": models}
    file.write_text(json.dumps(changed), encoding="utf-8")
    typed = read_problem(file)
    if suite.is_file():
        shutil.copyfile(suite, place / typed.checks.suite)
    store = FolderStore(BUCKET, folder / "store")
    variables = write_keys(folder / "keys") | {"PERENNIAL_PROBLEMS": str(folder / "problems")}
    params = {
        "name": name,
        "run_id": RUN,
        "window_start": None,
        "window_end": request.until.isoformat(),
        "reason": "manual",
        "force": False,
    }
    run = StageRuns(store, name, variables, Policy()).begin(RUN, params)
    for stage in STAGES:
        run.run(stage)
    prepared, trained = (_made(store, name, stage) for stage in ("preprocessing", "training"))
    schema = prepared.output("schema", Document)
    digest = trained.output("bundle", Bundle).digest
    model = bundle.load(bundle.fetch(store, name, digest, folder / "bundles"), digest=digest)
    return OwnRows(
        problem=typed,
        table=read_table(store, prepared.output("prepared", Table)),
        schema=read_artifact(store, schema, Schema),
        model=model,
        reference=ReferenceProfile.model_validate(model.profile),
    )


def _plain_files(parts: Path, folder: Path) -> Path:
    """Write a source's landed parts without the column that names their load; return the pattern."""
    place = folder / "sources" / parts.name
    place.mkdir(parents=True, exist_ok=True)
    for part in sorted(parts.glob("*.parquet")):
        path = place / part.name
        if path.exists():
            continue
        table = pq.read_table(part)
        kept = [name for name in table.column_names if name != LOAD]
        pq.write_table(table.select(kept), path, compression="zstd")
    return place / "*.parquet"


def _made(store: FolderStore, problem: str, stage: str) -> EarlierStage:
    made = earlier_stage(store, problem, RUN, stage)
    assert made is not None
    return made
