"""What e18a007 wrote is known by key and read by its reader, every object of it."""

from collections import Counter
from collections.abc import Mapping

import earlier_state
import pytest
from pydantic import BaseModel

from contract.champion import Champion
from contract.decision import Decision
from contract.expectations import ExpectationSuite
from contract.manifest import Manifest
from contract.problem import Problem
from contract.run import Run
from contract.serving_state import Rollout, ServiceAddress
from contract.store import layout
from contract.store.documents import parse_document
from contract.store.key import Key
from contract.store.ledger import LedgerEntry
from contract.store.reference import artifacts_in
from contract.store.source_head import SourceHead
from contract.verdict import Verdict

MODELS: dict[type[Key], type[BaseModel]] = {
    layout.ChampionKey: Champion,
    layout.RolloutKey: Rollout,
    layout.ServiceKey: ServiceAddress,
    layout.SourceHeadKey: SourceHead,
    layout.ManifestKey: Manifest,
    layout.LedgerKey: LedgerEntry,
    layout.DecisionKey: Decision,
}
OUTPUTS: dict[tuple[str, str], type[BaseModel]] = {
    ("problem", "problem"): Problem,
    ("problem", "run"): Run,
    ("problem", "expectations"): ExpectationSuite,
    ("evaluation", "verdict"): Verdict,
    ("monitoring", "verdict"): Decision,
}


@pytest.fixture(scope="module")
def objects() -> Mapping[str, bytes]:
    """Every object of the store, by key."""
    return earlier_state.objects()


def test_every_key_is_known_and_made_again_as_it_was(objects: Mapping[str, bytes]) -> None:
    for text in objects:
        key = layout.parse_key(text)

        assert key is not None, text
        assert str(key) == text


def test_every_document_is_read(objects: Mapping[str, bytes]) -> None:
    read: Counter[str] = Counter()
    for text, body in objects.items():
        key = layout.parse_key(text)
        model = MODELS.get(type(key))
        if isinstance(key, layout.OutputKey):
            model = OUTPUTS.get((key.stage, key.file.rpartition("-")[0]))
        if model is not None:
            parse_document(body, model, text)
            read[model.__name__] += 1

    assert {model.__name__ for model in [*MODELS.values(), *OUTPUTS.values()]} == read.keys()


def test_every_output_of_a_manifest_is_where_it_says(objects: Mapping[str, bytes]) -> None:
    for text, body in objects.items():
        if layout.ManifestKey.parse(text) is None:
            continue
        for artifact in artifacts_in(parse_document(body, Manifest, text).outputs, text):
            key = artifact.uri.split("/", 3)[3]
            assert str(layout.parse_bundle_prefix(key) or key) in objects
