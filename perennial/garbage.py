"""What nobody needs any more: objects that neither champion, ledger nor a kept run names.

Every family of keys says how long its objects are kept (`contract.store.key.Retention`); what is
of no known family stays. A document that cannot be read ends the search: what it names is not known,
so nothing is called garbage.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import assert_never

from contract.champion import Champion
from contract.manifest import Manifest
from contract.serving_state import Rollout
from contract.store.client import Store
from contract.store.documents import parse_document, parse_json, read_document
from contract.store.key import FAMILIES, Key, Retention
from contract.store.layout import (
    MANIFEST,
    RECENT,
    DecisionKey,
    ManifestKey,
    ModelFileKey,
    SourceHeadKey,
    bundle_prefix,
    champion_key,
    parse_bundle_prefix,
    parse_key,
    parse_keys,
    rollout_key,
    run_prefix,
)
from contract.store.ledger import Ledger
from contract.store.reference import artifacts_in
from contract.store.source_head import read_head
from contract.strict import Strict

SERVED = frozenset({"deployed", "progress", "hold", "rollback", "returned"})

_NEVER = datetime.min.replace(tzinfo=UTC)


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


class _Kept(Strict):
    """What counts."""

    runs: frozenset[str]
    models: frozenset[str]
    parts: frozenset[str]
    """Keys of landed files."""
    since: date | None
    """The oldest day of which what can be made anew is kept; None: no day was decided."""


def find_garbage(
    store: Store, problem: str, keep_runs: int, pinned: frozenset[str] = frozenset()
) -> Garbage:
    """Return what can go when the newest `keep_runs` runs are kept, besides those that count.

    `pinned` are the models that something outside the store names: a pod's template.

    Raises:
        DamagedDocument: a document that says what counts cannot be read.
    """
    keys = _removable(store, problem)
    kept = _kept(store, problem, keys, keep_runs, pinned)
    gone = [key for key in keys if not _is_kept(key, kept)]
    names = sorted(map(str, gone))
    heads = [store.head(name) for name in names]
    runs = set(filter(None, map(_run_of, gone)))
    models = set(filter(None, map(_model_of, gone)))
    return Garbage(
        models=tuple(bundle_prefix(problem, digest) for digest in sorted(models)),
        runs=tuple(run_prefix(problem, run) for run in sorted(runs)),
        parts=tuple(sorted(str(key) for key in gone if key.retention is Retention.NAMED)),
        keys=tuple(names),
        bytes=sum(head.bytes for head in heads if head),
        kept_runs=tuple(sorted(kept.runs)),
        kept_models=tuple(sorted(set(filter(None, map(_model_of, keys))) - models)),
    )


def delete(store: Store, garbage: Garbage) -> None:
    """Remove it: a run's and a bundle's manifest first, so that no half of one looks whole."""
    for key in sorted(garbage.keys, key=lambda key: not _is_manifest(parse_key(key))):
        store.delete(key)


def _is_manifest(key: Key | None) -> bool:
    is_of_a_bundle = isinstance(key, ModelFileKey) and key.file == MANIFEST
    return is_of_a_bundle or isinstance(key, ManifestKey)


def _removable(store: Store, problem: str) -> list[Key]:
    """Return the keys of every family whose objects may go; history is not even listed."""
    lasting = {Retention.HISTORY, Retention.POINTER}
    prefixes = {one.prefix(problem) for one in FAMILIES if one.retention not in lasting}
    found = (parse_key(text) for prefix in sorted(prefixes) for text in store.keys(prefix))
    return [key for key in dict.fromkeys(found) if key is not None]


def _is_kept(key: Key, kept: _Kept) -> bool:
    """Tell whether the object counts; here each retention gets its meaning."""
    match key.retention:
        case Retention.POINTER | Retention.HISTORY:
            return True
        case Retention.RECENT:
            return kept.since is None or vars(key)["day"] >= kept.since
        case Retention.RUN:
            return _run_of(key) in kept.runs
        case Retention.MODEL:
            return _model_of(key) in kept.models
        case Retention.NAMED:
            return str(key) in kept.parts
        case _:
            assert_never(key.retention)


def _run_of(key: Key) -> str | None:
    """Return the run that an object belongs to; None where it belongs to none."""
    return str(vars(key)["run"]) if key.retention is Retention.RUN else None


def _model_of(key: Key) -> str | None:
    """Return the digest of the model that an object belongs to; None where it belongs to none."""
    return str(vars(key)["digest"]) if key.retention is Retention.MODEL else None


def _kept(
    store: Store, problem: str, keys: list[Key], keep_runs: int, pinned: frozenset[str]
) -> _Kept:
    """Return the runs that count, and the models and landed files that they and the pointers name."""
    entries = Ledger(store, problem).entries()
    champion = read_document(store, champion_key(problem), Champion)
    rollout = read_document(store, rollout_key(problem), Rollout)
    served = {entry.run for entry in entries if entry.kind in SERVED}
    models = {entry.digest for entry in entries if entry.kind in SERVED}
    models |= {entry.previous for entry in entries} | pinned
    if champion is not None:
        served.add(champion.run)
        models.add(champion.digest)
    if rollout is not None:
        models.add(rollout.digest)
    runs = set(filter(None, map(_run_of, keys)))
    started = {run: _started(store, problem, run) for run in runs}
    newest = sorted(runs, key=lambda run: (started[run], run), reverse=True)[:keep_runs]
    kept_runs = (runs & served) | set(newest)
    named = _named(store, (key for key in keys if _run_of(key) in kept_runs))
    sources = parse_keys(store.keys(SourceHeadKey.prefix(problem)), SourceHeadKey)
    heads = [read_head(store, problem, key.source)[0] for key in sources]
    parts = {store.key(part.table.uri) for head in heads for part in head.parts}
    bundles = (parse_bundle_prefix(key) for key in named)
    return _Kept(
        runs=frozenset(kept_runs),
        models=frozenset(filter(None, models)) | {key.digest for key in bundles if key},
        parts=frozenset(parts | named),
        since=_recent_since(store, problem),
    )


def _recent_since(store: Store, problem: str) -> date | None:
    """Return the day before which a day's rows go: it counts from the newest decision, not a clock."""
    decided = parse_keys(store.keys(DecisionKey.prefix(problem)), DecisionKey)
    newest = max((key.day for key in decided), default=None)
    return None if newest is None else newest - RECENT


def _started(store: Store, problem: str, run: str) -> datetime:
    """Return when a run began; a run without its first manifest counts as the oldest."""
    manifest = read_document(store, str(ManifestKey(problem, run, "problem")), Manifest)
    return _NEVER if manifest is None else manifest.started


def _named(store: Store, keys: Iterable[Key]) -> set[str]:
    """Return the key, or a bundle's prefix, of each artifact that documents of runs name."""
    found: set[str] = set()
    for key in keys:
        name = str(key)
        if isinstance(key, ManifestKey):
            value: object = parse_document(store.get(name), Manifest, name).model_dump(mode="json")
        elif name.endswith(".json"):
            value = parse_json(store.get(name), name)
        else:
            continue
        found |= {store.key(artifact.uri) for artifact in artifacts_in(value, name)}
    return found
