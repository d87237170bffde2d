"""Small real bundles for tests: a linear member and a tree, written by the bundle's own writer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import JsonValue

import bundle
from bundle import signing
from bundle.tensors import NODE
from contract.store.client import Store

Kind = Literal["binary", "multiclass", "regression"]

CLASSES = {"binary": ("no", "yes"), "multiclass": ("low", "middle", "high"), "regression": ()}
ROW: dict[str, str | float | bool | None] = {
    "customer": "c-17",
    "signed_at": "2024-05-06T07:08:09Z",
    "age": 41.0,
    "income": 1250.5,
    "member": True,
    "city": "Oslo",
    "joined": "2020-02-29",
}
GOLDEN: list[dict[str, str | float | bool | None]] = [
    {"age": 41.0, "income": 1250.5, "member": True, "city": "Oslo", "joined": "2020-02-29"},
    {"age": 18.0, "income": None, "member": False, "city": "Bergen", "joined": None},
    {"age": 80.0, "income": 20.0, "member": None, "city": "unseen", "joined": "2024-01-01"},
    {},  # a required column is missing: no caller could send it
    {"age": "garbage", "income": "1_0", "city": ""},
]


@dataclass(frozen=True)
class Keys:
    """A pair of keys and the folder of the public one."""

    private: bytes
    folder: Path


@dataclass(frozen=True)
class Made:
    """A bundle on disk."""

    folder: Path
    digest: str


def make_keys(folder: Path) -> Keys:
    """Make a pair of keys; the public one in `folder`/verify."""
    private = signing.new_key()
    verify = folder / "verify"
    verify.mkdir(parents=True)
    (verify / "a.pem").write_bytes(signing.public_pem(private))
    return Keys(private, verify)


def make_bundle(
    folder: Path,
    problem: str,
    keys: Keys,
    *,
    kind: Kind = "binary",
    bias: float = 0.0,
    profile: Mapping[str, JsonValue] | None = None,
) -> Made:
    """Write a bundle; another `bias` makes another model, with another digest and other scores."""
    encoder = bundle.EncoderDocument(
        columns=(
            bundle.NumberPlan(column="age"),
            bundle.NumberPlan(column="income"),
            bundle.EqualsPlan(column="member", one=1.0),
            bundle.CategoryPlan(column="city", values={"Oslo": 0, "Bergen": 1}, missing=2, other=3),
            bundle.DatePlan(column="joined", parts=("year",)),
        )
    )
    outputs = 3 if kind == "multiclass" else 1
    link = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}[kind]
    contract = bundle.Contract(
        problem=problem,
        task=kind,
        columns=(
            bundle.Column(
                name="age", type="number", required=True, nullable=False, low=0, high=120
            ),
            bundle.Column(name="income", type="number", unit="EUR"),
            bundle.Column(name="member", type="boolean"),
            bundle.Column(name="city", type="category"),
            bundle.Column(name="joined", type="date"),
        ),
        output=bundle.ScoreOutput(name="answer"),
        classes=CLASSES[kind],
        positive="yes" if kind == "binary" else None,
        key=("customer",),
        event_time="signed_at",
    )
    entries = tuple(
        bundle.MemberEntry(file=name, weight=0.5, inputs=tuple(range(5)))
        for name in ("members/linear.dense", "members/trees.tree")
    )
    digest = bundle.write(
        folder,
        model=bundle.ModelDocument(members=entries, threshold=0.5 if kind == "binary" else None),
        encoder=encoder,
        members={
            "members/linear.dense": _linear(outputs, link, bias),
            "members/trees.tree": _trees(outputs, link, bias),
        },
        contract=contract,
        golden_rows=GOLDEN,
        profile=dict(profile or {"columns": {}}),
        card=bundle.Card(
            problem=problem,
            run="run-1",
            trained_at=datetime(2024, 5, 1, tzinfo=UTC),
            rows=100,
            family="linear",
        ),
        signing_key=keys.private,
    )
    return Made(folder, digest)


def upload(store: Store, problem: str, made: Made) -> None:
    """Put the bundle's files where the service looks for them."""
    for path in sorted(made.folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(made.folder).as_posix()
            store.put_file(f"{problem}/models/sha256/{made.digest}/{name}", path)


def _linear(outputs: int, link: str, bias: float) -> bundle.Tensors:
    width = 2 + 1 + 4
    weights = np.linspace(-1.0, 1.0, width * outputs).reshape(width, outputs)
    return bundle.Tensors(
        kind="dense",
        arrays={
            "fill": np.array([40.0, 1000.0]),
            "center": np.array([40.0, 1000.0]),
            "scale": np.array([20.0, 500.0]),
            "w0": weights,
            "b0": np.full(outputs, bias) + np.arange(outputs),
        },
        meta={
            "inputs": 5,
            "numeric": [0, 1],
            "missing": [1],
            "onehot": [[3, 4]],
            "limit": 16.0,
            "layers": 1,
            "link": link,
        },
    )


def _trees(outputs: int, link: str, bias: float) -> bundle.Tensors:
    """One stump on age for each output: tree t adds to output t."""
    nodes = []
    for place in range(outputs):
        root = 3 * place
        nodes += [(45.5, root + 1, 0), (0.25 + place, root + 1, 5), (-0.75, root + 2, 5)]
    return bundle.Tensors(
        kind="tree",
        arrays={
            "nodes": np.array(nodes, NODE),
            "roots": np.arange(outputs, dtype=np.uint32) * 3,
            "bits": np.zeros(0, np.uint32),
            "leaves": np.zeros(0),
            "init": np.full(outputs, bias),
        },
        meta={"inputs": 5, "outputs": outputs, "link": link},
    )
