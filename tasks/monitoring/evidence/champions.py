"""The models that served, read by digest: the model, its reference, the rows it was made from."""

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import bundle
from bundle.arrays import Floats
from contract.artifacts import Document, Table
from contract.canonical_json import canonical_json
from contract.store.client import Store
from contract.store.documents import parse_document, read_artifact
from contract.store.earlier_runs import earlier_stage
from contract.store.layout import ModelFileKey
from methods.columns.schema import Schema, target_vector
from methods.columns.targets import label_text
from methods.drift.profile import ReferenceProfile
from methods.split.folds import read_assignment
from methods.tables.parquet import read_table

if TYPE_CHECKING:
    from methods.models.dataset import Dataset
    from methods.models.families import TrainingPlan


class MonitoredModel:
    """One model that serves or served."""

    def __init__(self, store: Store, problem: str, digest: str, cache_folder: Path) -> None:
        self._store = store
        self._problem = problem
        self.digest = digest
        self.model = bundle.read_model(store, problem, digest, cache_folder)
        self.reference = parse_document(
            canonical_json(self.model.profile),
            ReferenceProfile,
            str(ModelFileKey(problem, digest, "profile.json")),
        )

    @cached_property
    def classes(self) -> tuple[str | None, ...]:
        """The classes as labels are spelt, in the order of the scores."""
        return tuple(label_text(label) for label in self.model.contract.classes)

    @property
    def contract(self) -> bundle.Contract:
        """The learning task, the key and the classes."""
        return self.model.contract

    def truth(self, labels: list[str | None]) -> Floats:
        """Return labels as numbers, (n,): 1 for the positive class, a class's index, a value.

        NaN for a label that is missing, or that the model does not know.
        """
        contract = self.model.contract
        if contract.task == "regression":
            return np.array([_number(label) for label in labels])
        codes = {name: float(index) for index, name in enumerate(self.classes)}
        if contract.task == "binary":
            positive = label_text(contract.positive)
            codes = {name: float(name == positive) for name in self.classes}
        return np.array([codes.get(label, np.nan) for label in labels])

    @cached_property
    def dataset(self) -> "Dataset | None":
        """The prepared rows of the run that made it; None where they are no longer kept."""
        run = self.model.card.run
        prepared = earlier_stage(self._store, self._problem, run, "preprocessing")
        split = earlier_stage(self._store, self._problem, run, "split")
        if prepared is None or split is None:
            return None
        # The families that it imports are 100 MB and seconds of CPU, which most days do without.
        from methods.models.dataset import Dataset  # noqa: PLC0415 - as said above

        schema = read_artifact(self._store, prepared.output("schema", Document), Schema)
        table = read_table(self._store, prepared.output("prepared", Table))
        parts = read_table(self._store, split.output("assignment", Table))
        return Dataset(
            schema=schema,
            table=table,
            truth=target_vector(table, schema),
            assignment=read_assignment(parts, table.num_rows),
        )

    @cached_property
    def plan(self) -> "TrainingPlan | None":
        """The plan that it was made with; None where it is no longer kept."""
        from methods.models.families import TrainingPlan  # noqa: PLC0415 - as in `dataset`

        tuning = earlier_stage(self._store, self._problem, self.model.card.run, "tuning")
        if tuning is None:
            return None
        return read_artifact(self._store, tuning.output("plan", Document), TrainingPlan)


class MonitoredModels:
    """Served models by digest, each read once."""

    def __init__(self, store: Store, problem: str, scratch: Path) -> None:
        self.of = cache(lambda digest: MonitoredModel(store, problem, digest, scratch / "bundles"))


def _number(label: str | None) -> float:
    try:
        return float("nan" if label is None else label)
    except ValueError:
        return float("nan")
