"""What stages of earlier runs made, found by the run's name: the champion's split, plan and rows.

Everything else is handed on by digest. These few are asked for by name since the run that made the
champion is long over; a run that is gone is None, for its reader to decide what that means.
"""

from typing import TypeVar

from contract.artifacts import Artifact, Bundle, Document, Sha256
from contract.champion import Champion
from contract.errors import Refused
from contract.log import log
from contract.manifest import Manifest
from contract.recipe import Recipe
from contract.run import Replay, Run
from contract.store.client import Store
from contract.store.documents import (
    DamagedDocument,
    parse_value,
    read_artifact,
    read_document,
)
from contract.store.layout import ManifestKey
from contract.strict import Strict

Kind = TypeVar("Kind", bound=Artifact)

# The stages that search, and the output of each that a replay takes.
_SEARCH_OUTPUTS = {"selection": "leaderboard", "tuning": "plan"}


class EarlierStage:
    """What one stage of an earlier run made."""

    def __init__(self, key: ManifestKey, manifest: Manifest) -> None:
        self._key = key
        self._manifest = manifest

    def output(self, name: str, kind: type[Kind]) -> Kind:
        """Return the artifact that the stage made under that name.

        Raises:
            DamagedDocument: the manifest names none.
        """
        return parse_value(self._manifest.outputs.get(name), kind, f"{self._key}#{name}")

    def has(self, name: str) -> bool:
        """Tell whether the stage made something under that name."""
        return name in self._manifest.outputs

    def whole_number(self, fact: str) -> int | None:
        """Return a fact that is a whole number; None where the stage left it out.

        Raises:
            DamagedDocument: it is something else.
        """
        value = self._manifest.facts.get(fact)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise DamagedDocument(str(self._key), "Manifest", f"facts.{fact}: no whole number")
        return value


def earlier_stage(store: Store, problem: str, run: str, stage: str) -> EarlierStage | None:
    """Return what a stage of an earlier run made; None where it is kept no longer.

    Raises:
        DamagedDocument: its manifest cannot be read.
    """
    key = ManifestKey(problem, run, stage)
    manifest = read_document(store, str(key), Manifest)
    return None if manifest is None else EarlierStage(key, manifest)


class Learnt(Strict):
    """Which rows the serving model and its judged twin have learnt from."""

    until: int | None = None
    """By time: the model has learnt from no row from then on, microseconds since 1970."""
    twin_until: int | None = None
    """By time: the twin that was judged for it, likewise."""
    vault_buckets: int | None = None
    """By hash: the twin has learnt from no row of so many lowest buckets."""
    twin: Sha256 | None = None
    """The twin's digest; None: the model was judged itself."""


def learnt_by_champion(store: Store, run: Run, *, by: str) -> Learnt:
    """Return what the serving model has learnt from; nothing where none serves.

    A model of an earlier version was judged itself, on rows from its vault on that it never learnt.

    Raises:
        Refused: by time, and the split of the serving model's run is gone or cannot be read.
    """
    if run.champion is None:
        return Learnt()
    split = earlier_stage(store, run.name, run.champion.run, "split")
    if split is None and by == "time":
        sentence = (
            f"The split of the run {run.champion.run!r}, which made the serving model, is gone, so "
            "that nobody knows which rows it has learned from. Restore it, or deploy anew."
        )
        raise Refused(sentence)
    vault_from = split.whole_number("vault_from") if split else None
    found = Learnt(
        until=vault_from,
        twin_until=vault_from,
        vault_buckets=split.whole_number("vault_buckets") if split else None,
    )
    training = earlier_stage(store, run.name, run.champion.run, "training")
    if training is None or not training.has("twin"):
        return found
    return found.model_copy(
        update={
            "twin": training.output("twin", Bundle).digest,
            "until": training.whole_number("learnt_until") or found.until,
            "twin_until": training.whole_number("twin_learnt_until") or found.twin_until,
        }
    )


def recipe_of_champion(store: Store, run: Run) -> Recipe | None:
    """Return how the serving model was made; None where none serves, or nobody wrote it down.

    Raises:
        DamagedDocument: it cannot be read.
    """
    if run.champion is None:
        return None
    training = earlier_stage(store, run.name, run.champion.run, "training")
    if training is None or not training.has("recipe"):
        return None
    return read_artifact(store, training.output("recipe", Document), Recipe)


def read_replay(store: Store, problem: str, champion: Champion | None) -> Replay | None:
    """Return what the champion's run found, or None where nothing of it is left to replay.

    Raises:
        DamagedDocument: a manifest of that run cannot be read.
    """
    if champion is None:
        return None
    documents: dict[str, Document] = {}
    for name, output in _SEARCH_OUTPUTS.items():
        stage = earlier_stage(store, problem, champion.run, name)
        if stage is None:
            log("problem").info("nothing to replay", run=champion.run)
            return None
        documents[output] = stage.output(output, Document)
    return Replay(run=champion.run, **documents)
