"""Rows of a world that changes on a day, and a plan for them."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
from fixtures_models import START, schema_of

from methods.columns.schema import target_vector
from methods.models.dataset import Dataset
from methods.models.encoders.column import EncodingSettings
from methods.models.families import PlannedMember, TrainingPlan
from methods.split.event_times import MICROSECONDS
from methods.split.folds import PreparedAssignment
from methods.split.judged import DAY
from methods.split.weights import TrainingWindow


def moment(day: int) -> int:
    """When a day begins, in microseconds since 1970."""
    return int((START + timedelta(days=day)).timestamp()) * MICROSECONDS


def changing(
    days: int, rows: int, at: int, *, base_rate: float = 0.0, concept: float = 0.0, seed: int = 0
) -> pa.Table:
    """`rows` a day; from day `at` on another base rate (in log-odds), or `ratio` for `size`."""
    random = np.random.default_rng(seed)
    count = days * rows
    day = np.repeat(np.arange(days), rows)
    is_new = day >= at
    size = random.normal(size=count)
    flag = random.integers(0, 2, count)
    ratio = random.normal(size=count)
    effect = np.where(is_new, concept, 0.0)
    margin = (1.4 - effect) * size + effect * ratio + 0.9 * flag - 1.0
    margin += np.where(is_new, base_rate, 0.0)
    chance = 1.0 / (1.0 + np.exp(-margin))
    minutes = np.sort(random.integers(0, 24 * 60, (days, rows)), axis=1).reshape(-1)
    return pa.table(
        {
            "id": pa.array(np.arange(count)),
            "size": pa.array(size),
            "ratio": pa.array(ratio),
            "flag": pa.array(np.where(flag == 1, 60, 36)),
            "colour": pa.array(random.choice(["red", "green", "blue"], count).tolist()),
            "shop": pa.array([f"shop {number}" for number in random.integers(0, 6, count)]),
            "seen": pa.array(
                [
                    START + timedelta(days=int(one), minutes=int(minute))
                    for one, minute in zip(day, minutes, strict=True)
                ]
            ),
            "late": pa.array((random.random(count) < chance).tolist()),
            "kind": pa.array(
                np.array(["low", "mid", "top"])[
                    np.digitize(margin + random.normal(size=count), [-1, 1])
                ]
            ),
            "cost": pa.array(10.0 + 3.0 * margin + random.normal(size=count)),
        }
    )


def changing_dataset(table: pa.Table, task: str = "binary") -> Dataset:
    schema = schema_of(table, task)
    used = tuple(column for column in schema.columns if column.name in {"size", "ratio", "flag"})
    schema = schema.model_copy(update={"columns": used})
    count = table.num_rows
    times = table["seen"].cast(pa.int64()).to_numpy()
    return Dataset(
        schema=schema,
        table=table,
        truth=target_vector(table, schema),
        assignment=PreparedAssignment(
            np.full(count, "train"), (times // DAY).astype(np.int64), np.zeros(count, np.int64)
        ),
    )


def small_plan(task: str = "binary", rows: int = 2_000) -> TrainingPlan:
    """A linear model: a fit costs milliseconds."""
    return TrainingPlan(
        task=task,  # type: ignore[arg-type] # one of the three
        classes={"binary": ("false", "true"), "multiclass": ("low", "mid", "top")}.get(task, ()),
        metric={"binary": "roc_auc", "multiclass": "log_loss"}.get(task, "rmse"),
        members=(
            PlannedMember(
                family="linear", settings={"penalty": 1.0}, iterations=0, seed=1, weight=1.0
            ),
        ),
        encoding=EncodingSettings(),
        window=TrainingWindow(),
        calibration="none",
        threshold=0.5 if task == "binary" else None,
        rows=rows,
        seed=1,
        score=0.7,
    )
