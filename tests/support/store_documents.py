"""Whole documents of the store, as stages and commands write them."""

from datetime import UTC, datetime
from typing import Any

from contract.artifacts import Artifact
from contract.champion import Champion
from contract.manifest import Manifest
from contract.store.client import Store
from contract.store.layout import ManifestKey
from contract.verdict import Check, Verdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DIGEST = "a" * 64
CHAMPION = Champion(digest=DIGEST, run="r0", verdict=None, since=NOON, nonce="1")
VERDICT = Verdict(
    verdict="accepted",
    judged=DIGEST,
    baseline=None,
    rule="first",
    metric="roc_auc",
    score=0.8,
    baseline_score=None,
    checks=(Check(name="dummy", passed=True, why="0.8 found, 0.5 expected."),),
    reasons=(),
    rows=10,
    window_end=NOON,
)


def manifest(key: ManifestKey, **fields: Any) -> Manifest:
    """Return the manifest of a stage that made what `fields` say."""
    outputs = {
        name: value.model_dump(mode="json") if isinstance(value, Artifact) else value
        for name, value in fields.pop("outputs", {}).items()
    }
    plain = {
        "task": key.stage,
        "problem": key.problem,
        "run": key.run,
        "code": "0" * 64,
        "inputs": {},
        "params": {},
        "facts": {},
        "outcome": "made",
        "started": NOON,
        "seconds": 0.0,
        "cpu_seconds": 0.0,
    }
    return Manifest.model_validate(plain | {"outputs": outputs} | fields)


def put_manifest(store: Store, key: ManifestKey, **fields: Any) -> Manifest:
    """Write the manifest of a stage where it belongs."""
    made = manifest(key, **fields)
    store.put(str(key), made.canonical())
    return made
