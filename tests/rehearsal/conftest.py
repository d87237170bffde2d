"""A user's own rows without any training: a real bundle is the truth, and the rows are made up."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from bundle_factory import make_bundle, make_keys
from fixtures_drift import reference

import bundle
from contract.problem import Problem
from methods.columns.schema import infer_schema
from rehearsal.landed_run import OwnRows

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAYS = 14
ROWS = 40  # a day; twice as many on a Sunday


@pytest.fixture(scope="module")
def own_rows(tmp_path_factory: pytest.TempPathFactory) -> OwnRows:
    """Two weeks of rows of the bundle factory's binary problem."""
    random = np.random.default_rng(0)
    counts = [ROWS * (2 if day % 7 == 6 else 1) for day in range(DAYS)]
    moments = [
        BEGIN + timedelta(days=day, minutes=30 * row / 2)
        for day, count in enumerate(counts)
        for row in range(count)
    ]
    n = len(moments)
    table = pa.table(
        {
            "customer": [f"c-{row}" for row in range(n)],
            "signed_at": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "age": random.uniform(18, 90, n),
            "income": random.normal(1_000, 300, n),
            "member": (random.random(n) < 0.5).tolist(),
            "city": random.choice(["Oslo", "Bergen", "Bodø"], n).tolist(),
            "answer": random.choice(["no", "yes"], n, p=[0.7, 0.3]).tolist(),
        }
    )
    problem = Problem.model_validate(
        {
            "apiVersion": "perennial/v1",
            "kind": "Problem",
            "name": "churn",
            "question": "Will this customer leave?",
            "target": {"column": "answer", "positive": "yes", "labels": {"from": "customers"}},
            "source": {
                "customers": {
                    "kind": "files",
                    "path": "*.csv",
                    "key": ["customer"],
                    "event_time": "signed_at",
                }
            },
        }
    )
    folder = tmp_path_factory.mktemp("own")
    made = make_bundle(folder / "bundle", "churn", make_keys(folder / "keys"))
    held_out = reference(rows=500)
    # More than the model's own uncertainty, as that of a model that has learned from these rows.
    losses = held_out.losses.model_copy(update={"mean": 0.66})
    columns = {"age": held_out.columns["heavy"], "income": held_out.columns["second"]}
    columns["city"] = held_out.columns["kind"]
    return OwnRows(
        problem=problem,
        table=table,
        schema=infer_schema(table, problem),
        model=bundle.load(made.folder, digest=made.digest),
        reference=held_out.model_copy(update={"columns": columns, "losses": losses}),
    )
