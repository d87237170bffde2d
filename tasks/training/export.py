"""From a fitted plan to a signed bundle, read back and compared before it is stored."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import JsonValue

from bundle.documents import (
    Card,
    Column,
    ColumnType,
    Contract,
    MemberEntry,
    ModelDocument,
    ScoreOutput,
)
from bundle.reader import load
from bundle.writer import write
from contract.errors import Refused
from contract.formatting import plain_text
from contract.problem import Problem
from contract.run import Run
from methods.columns.roles import Feature
from methods.columns.schema import Schema
from methods.models.families import TrainingPlan
from methods.models.fitting import FittedPlan, family_name
from methods.retrain.forward import DecisionRule
from tasks.training.golden import golden_rows
from tasks.training.hold_out import HoldOut

TOLERANCE = 1e-9  # calibration and sums in another order; members were compared to 1e-12
_COMPARED_ROWS = 2_000  # arbitrary


def export(
    folder: Path,
    *,
    plan: TrainingPlan,
    refitted: FittedPlan,
    decision: DecisionRule,
    profile: JsonValue,
    table: pa.Table,
    contract: Contract,
    card: Card,
    signing_key: bytes,
) -> str:
    """Write the bundle into `folder`, read it back, compare it on rows, and return its digest.

    `table` holds the training rows, raw.
    Raises Refused if a converter, the reader or the comparison disagrees with the fitted models.
    """
    members = {}
    entries = []
    for index, (planned, fitted) in enumerate(refitted.members):
        tensors = fitted.tensors()
        name = f"members/m{index}_{planned.family}.{tensors.kind}"
        members[name] = tensors
        inputs = tuple(range(len(refitted.encoding.outputs)))
        entries.append(MemberEntry(file=name, weight=planned.weight, inputs=inputs))
    digest = write(
        folder,
        model=ModelDocument(
            members=tuple(entries),
            calibration=decision.maps,
            threshold=decision.threshold,
        ),
        encoder=refitted.encoding.document,
        members=members,
        contract=contract,
        golden_rows=golden_rows(refitted.encoding, table, plan.seed),
        profile=profile,
        card=card,
        signing_key=signing_key,
    )
    sample = table.slice(0, _COMPARED_ROWS)
    expected = decision.apply(refitted.predict(sample))
    actual = load(folder, digest=digest).batch(sample)
    largest = float(np.max(np.abs(actual - expected) / np.maximum(1.0, np.abs(expected))))
    if not largest <= TOLERANCE:  # NaN compares false
        sentence = (
            f"the bundle read back differs by {largest:.2g} from the fitted models, at most "
            f"{TOLERANCE:g} is allowed; do not serve it, a converter is wrong."
        )
        raise Refused(sentence)
    return digest


def bundle_contract(schema: Schema, problem: Problem) -> Contract:
    """Describe a row for its senders: the used columns, their types, and the declared ranges.

    A range that was only observed is no limit: a later row may lie outside it.
    """
    columns = []
    for feature in schema.columns:
        if feature.role in {"id", "constant"}:
            continue
        override = problem.columns.get(feature.name)
        low, high = (override.range if override and override.range else None) or (None, None)
        columns.append(
            Column(
                name=feature.name,
                type=_type(feature),
                required=feature.required,
                nullable=not feature.required,
                low=low,
                high=high,
                unit=feature.unit,
            )
        )
    unit = problem.columns[schema.target].unit if schema.target in problem.columns else None
    return Contract(
        problem=problem.name,
        task=schema.task,
        columns=tuple(columns),
        output=ScoreOutput(name=schema.target, unit=unit),
        classes=schema.classes,
        positive=schema.classes[1] if schema.task == "binary" else None,
        key=schema.key,
        event_time=schema.event_time,
    )


def _type(feature: Feature) -> ColumnType:
    """Return what a client sends for a column of this role."""
    if feature.role == "binary":
        if feature.type == "bool":
            return "boolean"
        return "category" if "string" in feature.type else "number"
    types: dict[str, ColumnType] = {
        "number": "number",
        "category": "category",
        "date": "date",
        "text": "text",
    }
    return types[feature.role]


def model_card(
    plan: TrainingPlan, hold_out: HoldOut, run: Run, rows: int, until: datetime, *, forward: bool
) -> Card:
    """Return the card: where the model comes from, its metrics on validation, and its limits."""
    how = "later than the training rows" if forward else "drawn by key"
    return Card(
        problem=run.name,
        run=run.run_id,
        trained_at=until,
        rows=rows,
        metrics=hold_out.metrics,
        family=family_name(plan.members),
        settings={
            f"{index}.{member.family}": {"weight": member.weight, **member.settings}
            for index, member in enumerate(plan.members)
        },
        limits=(
            f"It was trained on {rows} rows known by {until:%Y-%m-%d}, and on no later ones.",
            (
                f"Its metrics are of {len(hold_out.truth)} validation rows, {how}, before the refit; "
                "validation selected the settings, so they are slightly optimistic; the gate's are not."
            ),
            "Unseen categories count as `other`; unusable values count as missing.",
            *((plain_text(hold_out.threshold.sentence),) if hold_out.threshold else ()),
        ),
    )
