"""What stages of earlier runs made, found by the run's name: the champion's split, plan and rows.

Everything else is handed on by digest. These few are asked for by name since the run that made the
champion is long over; a run that is gone is None, for its reader to decide what that means.
"""

from typing import TypeVar

from contract.artifacts import Artifact, Document
from contract.champion import Champion
from contract.errors import Refused
from contract.log import log
from contract.manifest import Manifest
from contract.run import Replay, Run
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_value, read_document
from contract.store.layout import ManifestKey

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


def vault_of_champion(store: Store, run: Run) -> int | None:
    """Return where the vault began that the serving model was kept from, microseconds since 1970.

    Raises:
        Refused: the split of the serving model's run is gone, or cannot be read.
    """
    if run.champion is None:
        return None
    split = earlier_stage(store, run.name, run.champion.run, "split")
    if split is None:
        sentence = (
            f"The split of the run {run.champion.run!r}, which made the serving model, is gone, so "
            "that nobody knows which rows it has learned from. Restore it, or deploy anew."
        )
        raise Refused(sentence)
    return split.whole_number("vault_from")


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
