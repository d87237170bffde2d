"""What nobody needs any more: objects that neither champion, ledger nor a kept run names.

Marks, never guesses: what is not under a prefix that is understood stays. Predictions, feedback,
monitoring and the ledger are history and are never touched.
"""

import json
import re
from collections.abc import Iterator

from contract.manifest import NAME
from contract.store.client import Store
from contract.store.layout import champion_key, rollout_key
from contract.store.ledger import Ledger
from contract.strict import Strict

SERVED = frozenset({"deployed", "progress", "hold", "rollback", "returned"})


class Garbage(Strict):
    """What can go, sorted by key."""

    models: tuple[str, ...]
    """Bundles, each by its prefix `PROBLEM/models/sha256/DIGEST`."""
    runs: tuple[str, ...]
    """Runs, each by its prefix `PROBLEM/runs/RUN`."""
    parts: tuple[str, ...]
    """Landed files of no generation that counts."""
    keys: tuple[str, ...]
    """All objects of the above."""
    bytes: int
    kept_runs: tuple[str, ...]
    kept_models: tuple[str, ...]


def find_garbage(
    store: Store, problem: str, keep_runs: int, pinned: frozenset[str] = frozenset()
) -> Garbage:
    """Return what can go when the newest `keep_runs` runs are kept, besides those that count.

    `pinned` are the models that something outside the store names: a pod's template.
    """
    entries = Ledger(store, problem).entries()
    counted = {entry.run for entry in entries if entry.kind in SERVED}
    models = {entry.digest for entry in entries if entry.kind in SERVED}
    models |= {entry.previous for entry in entries} | pinned
    for key in (champion_key(problem), rollout_key(problem)):
        found = store.get_with_etag(key)
        if found:
            content = json.loads(found[0])
            models.add(content["digest"])
            counted.add(content.get("run"))
    runs = _by_run(store, problem)
    newest = sorted(runs, key=lambda run: _started(store, problem, run), reverse=True)
    kept_runs = {run for run in runs if run in counted} | set(newest[:keep_runs])
    named = _named(store, [key for run in kept_runs for key in runs[run]])
    models |= set(re.findall(rf"{re.escape(problem)}/models/sha256/([0-9a-f]{{64}})", named))
    parts = _parts(store, problem, named)
    found_models = _models(store, problem)
    gone_models = {digest: keys for digest, keys in found_models.items() if digest not in models}
    gone_runs = {run: keys for run, keys in runs.items() if run not in kept_runs}
    keys = [
        *(key for run in gone_runs.values() for key in run),
        *(key for model in gone_models.values() for key in model),
        *parts,
    ]
    heads = [store.head(key) for key in keys]
    return Garbage(
        models=tuple(f"{problem}/models/sha256/{digest}" for digest in sorted(gone_models)),
        runs=tuple(f"{problem}/runs/{run}" for run in sorted(gone_runs)),
        parts=tuple(sorted(parts)),
        keys=tuple(sorted(keys)),
        bytes=sum(head.bytes for head in heads if head),
        kept_runs=tuple(sorted(kept_runs)),
        kept_models=tuple(sorted(set(found_models) - set(gone_models))),
    )


def delete(store: Store, garbage: Garbage) -> None:
    """Remove it: a run's and a bundle's manifest first, so that no half of one looks whole."""
    is_manifest = {key: key.endswith(f"/{NAME}") for key in garbage.keys}
    for key in sorted(garbage.keys, key=lambda key: not is_manifest[key]):
        store.delete(key)


def _by_run(store: Store, problem: str) -> dict[str, list[str]]:
    prefix = f"{problem}/runs/"
    runs: dict[str, list[str]] = {}
    for key in store.keys(prefix):
        runs.setdefault(key.removeprefix(prefix).partition("/")[0], []).append(key)
    return runs


def _models(store: Store, problem: str) -> dict[str, list[str]]:
    prefix = f"{problem}/models/sha256/"
    models: dict[str, list[str]] = {}
    for key in store.keys(prefix):
        models.setdefault(key.removeprefix(prefix).partition("/")[0], []).append(key)
    return models


def _started(store: Store, problem: str, run: str) -> str:
    """Return when a run began; a run without its first manifest counts as the oldest."""
    found = store.get_with_etag(f"{problem}/runs/{run}/problem/{NAME}")
    return str(json.loads(found[0])["started"]) if found else ""


def _named(store: Store, keys: list[str]) -> str:
    """Return the text of every document that may name an object: manifests and other JSON."""
    return "\n".join(store.get(key).decode() for key in keys if key.endswith(".json"))


def _parts(store: Store, problem: str, named: str) -> list[str]:
    """Return the landed files that neither a HEAD nor a kept run names."""
    keys = list(store.keys(f"{problem}/raw/"))
    heads = [store.get(key).decode() for key in keys if key.endswith("/HEAD.json")]
    counted = "\n".join([named, *heads])
    return [key for key in _landed(keys) if key not in counted]


def _landed(keys: list[str]) -> Iterator[str]:
    return (key for key in keys if "/runs/" in key and key.endswith(".parquet"))
