"""A small hand-made model: no training library is needed to test the bundle."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bundle
from bundle import kernel as kernels
from bundle.tensors import NODE, Tensors

CATEGORICAL, NAN_LEFT, OUTSIDE_LEFT = 1 << 31, 1 << 30, 1 << 29
GRID = np.array([-np.inf, -1.0, -0.5, -1e-35, 0.0, 1e-36, 0.1, 0.5, 1.0, 3e38, np.inf])
NO_KERNEL = importlib.util.find_spec("bundle._flatforest") is None


@pytest.fixture(params=["c", "numpy"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Force each kernel in turn."""
    if request.param == "c" and NO_KERNEL:
        pytest.skip("the C kernel is not built: no compiler")
    monkeypatch.setenv("PERENNIAL_KERNEL", request.param)
    kernels.pick.cache_clear()
    yield request.param
    kernels.pick.cache_clear()


def make_forest(
    seed: int = 0,
    *,
    inputs: int = 4,
    trees: int = 9,
    depth: int = 4,
    categorical: int = 1,
    outputs: int = 1,
    width: int = 1,
    **meta: Any,
) -> Tensors:
    """Grow complete random trees; the last `categorical` inputs hold codes.

    Node i of a complete tree has the children 2 i + 1 and 2 i + 2: siblings are adjacent.
    """
    random = np.random.default_rng(seed)
    size, inner = 2 ** (depth + 1) - 1, 2**depth - 1
    bits = random.integers(0, 2**32, 12, dtype=np.uint32).astype("<u4")
    nodes = np.zeros(trees * size, NODE)
    leaf_rows = 0
    for tree in range(trees):
        for place in range(size):
            node = nodes[tree * size + place : tree * size + place + 1]
            if place >= inner:
                node["child"], node["feature"] = tree * size + place, inputs
                node["threshold"] = leaf_rows if width > 1 else random.normal()
                leaf_rows += 1
                continue
            feature = int(random.integers(inputs))
            flags = NAN_LEFT * int(random.integers(2))
            node["child"] = tree * size + 2 * place + 1
            node["threshold"] = random.choice(GRID)
            if feature >= inputs - categorical:
                flags += CATEGORICAL + OUTSIDE_LEFT * int(random.integers(2))
                span = np.array([random.integers(0, 10), random.integers(1, 3)], "<u4")
                node["threshold"] = span.view("<f8")[0]
            node["feature"] = feature + flags
    arrays = {
        "nodes": nodes,
        "roots": np.arange(0, len(nodes), size, dtype="<u4"),
        "bits": bits,
        "leaves": random.normal(size=leaf_rows * width if width > 1 else 0),
        "init": random.normal(size=outputs),
    }
    header = {"inputs": inputs, "outputs": outputs, "width": width, "link": "identity"}
    return Tensors("tree", arrays, header | meta)


def make_dense(seed: int, spec: bundle.DenseSpec, sizes: tuple[int, ...], link: str) -> Tensors:
    """Draw random layers."""
    random = np.random.default_rng(seed)
    arrays: dict[str, Any] = {
        "fill": np.array(spec.fill),
        "center": np.array(spec.center),
        "scale": np.array(spec.scale),
    }
    width = spec.width
    for place, size in enumerate(sizes):
        arrays[f"w{place}"] = random.normal(size=(width, size))
        arrays[f"b{place}"] = random.normal(size=size)
        width = size
    meta = spec.model_dump(mode="json", exclude={"fill", "center", "scale"})
    return Tensors("dense", arrays, meta | {"layers": len(sizes), "link": link})


def make_rows(seed: int, count: int = 300, inputs: int = 4, categorical: int = 1) -> np.ndarray:
    """Draw rows on and about the thresholds, with NaN and codes outside."""
    random = np.random.default_rng(seed)
    rows = random.choice(GRID, (count, inputs))
    nudged = np.nextafter(rows, random.choice([-np.inf, np.inf], rows.shape))
    rows = np.where(random.random(rows.shape) < 0.3, nudged, rows)
    codes = random.choice([-1e9, -1.0, -0.5, 0, 1, 5.5, 31, 32, 63, 64, 1e12], (count, inputs))
    rows[:, inputs - categorical :] = codes[:, inputs - categorical :]
    return np.where(random.random(rows.shape) < 0.1, np.nan, rows)


@dataclass(frozen=True)
class Parts:
    """What `bundle.write` takes."""

    model: bundle.ModelDocument
    encoder: bundle.EncoderDocument
    members: dict[str, Tensors]
    contract: bundle.Contract
    golden_rows: list[dict[str, Any]]
    card: bundle.Card
    profile: Any

    def scorer(self) -> bundle.Scorer:
        return bundle.Scorer(
            document=self.model, encoder=self.encoder, members=self.members, contract=self.contract
        )

    def write(self, folder: Path, signing_key: bytes | None = None) -> str:
        return bundle.write(folder, **vars(self), signing_key=signing_key)

    def but(self, **changes: Any) -> "Parts":
        return replace(self, **changes)


PLANS = (
    bundle.NumberPlan(column="delay", low=-60.0, high=600.0),
    bundle.NumberPlan(column="wind"),
    bundle.DatePlan(column="at", parts=("month", "days")),
    bundle.CategoryPlan(column="carrier", values={"AA": 1, "UA": 2}, missing=0, other=3),
)
ROWS: list[dict[str, Any]] = [
    {"delay": 3, "wind": 0.5, "at": "2013-05-01T10:00:00", "carrier": "AA"},
    {"delay": 1e9, "wind": "2.5", "at": "2013-02-30", "carrier": "ZZ"},
    {"delay": "abc", "wind": None, "at": "", "carrier": ""},
    {"carrier": 7},
    {},
]


def make_parts(task: str = "binary") -> Parts:
    """Assemble a tree and a dense member behind four plans."""
    classes = {"binary": (0, 1), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    scores = 3 if task == "multiclass" else 1
    link = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}[task]
    spec = bundle.DenseSpec(
        inputs=5,
        numeric=(0, 1, 3),
        fill=(1.0, 2.0, 15_000.0),
        center=(0.5, 0.0, 15_000.0),
        scale=(3.0, 1.5, 400.0),
        missing=(1,),
        onehot=((4, 4),),
    )
    members = {
        "members/m0.tree": make_forest(1, inputs=4, outputs=scores, link=link),
        "members/m1.dense": make_dense(2, spec, (6, scores), link),
    }
    columns = [
        bundle.Column(name="delay", type="number", unit="min", low=-100, high=2000),
        bundle.Column(name="wind", type="number"),
        bundle.Column(name="at", type="date"),
        bundle.Column(name="carrier", type="category", required=True),
    ]
    return Parts(
        model=bundle.ModelDocument(
            members=(
                bundle.MemberEntry(file="members/m0.tree", weight=0.25, inputs=(1, 0, 3, 4)),
                bundle.MemberEntry(file="members/m1.dense", weight=0.75, inputs=(0, 1, 2, 3, 4)),
            ),
            calibration=(bundle.Platt(a=0.9, b=0.1),) if task == "binary" else (),
            threshold=0.4 if task == "binary" else None,
        ),
        encoder=bundle.EncoderDocument(columns=PLANS),
        members=members,
        contract=bundle.Contract(
            problem="flights",
            task=task,
            columns=tuple(columns),
            output=bundle.ScoreOutput(name="late"),
            classes=classes,
            positive=1 if task == "binary" else None,
        ),
        golden_rows=ROWS,
        card=bundle.Card(
            problem="flights",
            run="run-1",
            trained_at=datetime(2013, 6, 1, tzinfo=UTC),
            rows=1000,
            metrics={"auc": 0.7},
            family="boosting",
            settings={"leaves": 31},
            limits=("It never saw winter.",),
        ),
        profile={"columns": {"delay": [1, 2, 3]}},
    )


def make_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Put rows into a table of strings, as a CSV file would hold them."""
    names = [plan.column for plan in PLANS]
    columns = {name: [_text(row.get(name)) for row in rows] for name in names}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture(scope="session")
def new_parts() -> Callable[[str], Parts]:
    return make_parts


@pytest.fixture(scope="session")
def new_forest() -> Callable[..., Tensors]:
    return make_forest


@pytest.fixture(scope="session")
def new_dense() -> Callable[..., Tensors]:
    return make_dense


@pytest.fixture(scope="session")
def new_rows() -> Callable[..., np.ndarray]:
    return make_rows


@pytest.fixture(scope="session")
def new_table() -> Callable[[list[dict[str, Any]]], pa.Table]:
    return make_table
