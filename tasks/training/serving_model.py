"""The model that serves, as a retraining sees it: its scores of rows that it has not learnt."""

from dataclasses import dataclass
from pathlib import Path

from bundle.arrays import Floats
from bundle.model import Model
from bundle.remote import fetch, read_model
from contract.errors import NotFound, Refused
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_value
from contract.store.earlier_runs import Learnt
from methods.columns.schema import Schema
from methods.drift.profile import ReferenceProfile
from methods.retrain.adjust import Served
from methods.retrain.rows import RetrainRows
from tasks.training.challenger import TrainingCase


@dataclass(frozen=True)
class ChampionInTraining:
    """The model that serves, and what it lost on the judged rows."""

    model: Model
    folder: Path
    reference: ReferenceProfile
    served: Served
    learnt: Learnt
    at_deployment: float
    """Its mean proper loss on rows that it had not learnt, when it was deployed."""

    def scores_of(self, data: RetrainRows) -> Floats:
        """Return its scores of the judged rows, in the order of the steps."""
        return self.served.scores[self.served.positions(data.judged)]


def read_serving(
    store: Store, case: TrainingCase, data: RetrainRows, learnt: Learnt
) -> ChampionInTraining | None:
    """Return the serving model with its scores of all rows that it, or its twin, has not learnt.

    None where none serves, where it cannot be read, or where it answers another question.
    """
    champion, cache = case.run.champion, case.folder / "models"
    if champion is None:
        return None
    try:
        model = read_model(store, case.run.name, champion.digest, cache)
        twin = read_model(store, case.run.name, learnt.twin, cache) if learnt.twin else model
        reference = parse_value(model.profile, ReferenceProfile, "profile.json")
    except (NotFound, Refused, DamagedDocument):
        return None  # the gate says why it refuses
    if not _answers_alike(model, case.dataset.schema):
        return None
    times = data.times[data.labelled]
    rows = data.labelled[times >= (learnt.twin_until or 0)]
    by_twin = data.times[rows] < (learnt.until or 0)
    scores = model.batch(case.dataset.take(rows))
    if by_twin.any():
        scores[by_twin] = twin.batch(case.dataset.take(rows[by_twin]))
    threshold = model.document.threshold
    served = Served(
        rows,
        data.times[rows],
        case.dataset.truth[rows],
        scores,
        0.5 if threshold is None else threshold,
    )
    folder = fetch(store, case.run.name, champion.digest, cache)
    return ChampionInTraining(model, folder, reference, served, learnt, reference.baseline.mean)


def _answers_alike(model: Model, schema: Schema) -> bool:
    contract = model.contract
    known = {column.name for column in schema.columns}
    same = (contract.task, contract.output.name) == (schema.task, schema.target)
    return (
        same
        and tuple(str(label) for label in contract.classes) == schema.classes
        and known >= {column.name for column in contract.columns}
    )
