import json
from datetime import date

import pytest
from store_documents import NOON, put_manifest

from contract.artifacts import Bundle, Table
from contract.canonical_json import canonical_json
from contract.champion import Champion
from contract.store.client import Store
from contract.store.documents import DamagedDocument
from contract.store.key import FAMILIES, Retention
from contract.store.layout import (
    DaySampleKey,
    DecisionKey,
    LandedPartKey,
    LedgerKey,
    ManifestKey,
    ModelFileKey,
    OutputKey,
    PredictionsKey,
    SourceHeadKey,
    bundle_prefix,
    champion_key,
    run_prefix,
)
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.source_head import LandedPart, SourceHead, commit
from perennial.garbage import delete, find_garbage

SERVED, TRIED, OLD = "a" * 64, "b" * 64, "c" * 64
PARTS = {"first": "1" * 64, "new": "2" * 64, "old": "3" * 64}


def part(problem: str, run: str) -> LandedPartKey:
    return LandedPartKey(problem, "main", run, PARTS[run])


def table(store: Store, problem: str, run: str) -> Table:
    return Table(uri=store.uri(str(part(problem, run))), sha256=PARTS[run], bytes=4, rows=1)


@pytest.fixture
def filled(store: Store, problem_name: str) -> str:
    """A problem with a served run, a newer one that was refused, and an old one nobody needs."""
    name = problem_name
    for run, digest, day in (("first", SERVED, 1), ("old", OLD, 2), ("new", TRIED, 3)):
        put_manifest(store, ManifestKey(name, run, "problem"), started=NOON.replace(day=day))
        bundle = Bundle(uri=store.uri(bundle_prefix(name, digest)), sha256=digest, bytes=10)
        put_manifest(store, ManifestKey(name, run, "training"), outputs={"bundle": bundle})
        store.put(str(ModelFileKey(name, digest, "manifest.json")), b"{}")
        store.put(str(ModelFileKey(name, digest, "member.bin")), b"12345678")
        store.put(str(part(name, run)), b"1234")
    landed = LandedPart(run="first", generation=1, table=table(store, name, "first"))
    commit(store, name, "main", SourceHead(generation=1, parts=(landed,)), None)
    store.put(
        str(OutputKey(name, "new", "collection", "snapshot-1.json")),
        canonical_json({"parts": [table(store, name, "new").model_dump(mode="json")]}),
    )
    store.put(str(PredictionsKey(name, date(2026, 1, 1), "00", "a")), b"1")
    champion = Champion(digest=SERVED, run="first", verdict=None, since=NOON, nonce="1")
    store.put(champion_key(name), champion.canonical())
    entry = {"id": "first/deployed", "kind": "deployed", "run": "first", "digest": SERVED}
    entry |= {"at": "2026-01-01T00:00:00Z", "written": "2026-01-01T00:00:00Z", "reason": "first"}
    Ledger(store, name).append(LedgerEntry.model_validate(entry))
    return name


def test_only_what_nobody_names_can_go(store: Store, filled: str) -> None:
    found = find_garbage(store, filled, keep_runs=1)

    assert found.runs == (run_prefix(filled, "old"),)
    assert found.models == (bundle_prefix(filled, OLD),)
    assert found.parts == (str(part(filled, "old")),)
    assert found.kept_runs == ("first", "new")
    assert found.kept_models == (SERVED, TRIED)


def test_bytes_and_keys_are_those_of_the_objects(store: Store, filled: str) -> None:
    found = find_garbage(store, filled, keep_runs=1)

    assert len(found.keys) == 5
    assert found.bytes == sum(len(store.get(key)) for key in found.keys)


def test_looking_changes_nothing(store: Store, filled: str) -> None:
    before = list(store.keys(f"{filled}/"))

    find_garbage(store, filled, keep_runs=0)

    assert list(store.keys(f"{filled}/")) == before


def test_deleting_leaves_the_champion_and_all_history(store: Store, filled: str) -> None:
    delete(store, find_garbage(store, filled, keep_runs=0))

    left = list(store.keys(f"{filled}/"))
    assert str(ModelFileKey(filled, SERVED, "member.bin")) in left
    assert str(PredictionsKey(filled, date(2026, 1, 1), "00", "a")) in left
    assert str(LedgerKey(filled, 0)) in left
    assert str(part(filled, "first")) in left
    assert [key for key in left if "/runs/old/" in key or "/runs/new/" in key] == []


def test_a_second_look_finds_nothing_more(store: Store, filled: str) -> None:
    delete(store, find_garbage(store, filled, keep_runs=1))

    assert find_garbage(store, filled, keep_runs=1).keys == ()


def test_a_landed_file_that_no_generation_names_can_go_although_its_run_is_kept(
    store: Store, filled: str
) -> None:
    found = find_garbage(store, filled, keep_runs=3)

    assert found.keys == (str(part(filled, "old")),)


def test_a_champion_without_a_ledger_is_kept(store: Store, filled: str) -> None:
    store.delete(str(LedgerKey(filled, 0)))

    found = find_garbage(store, filled, keep_runs=0)

    assert SERVED in found.kept_models
    assert json.loads(store.get(champion_key(filled)))["digest"] == SERVED


def test_a_digest_in_a_sentence_keeps_no_model(store: Store, filled: str) -> None:
    """Only an artifact is a reference; a substring is none."""
    sentence = {"why": f"{bundle_prefix(filled, OLD)} was worse"}
    store.put(str(OutputKey(filled, "new", "page", "note-1.json")), canonical_json(sentence))

    assert bundle_prefix(filled, OLD) in find_garbage(store, filled, keep_runs=1).models


def test_a_key_that_this_version_does_not_know_stays(store: Store, filled: str) -> None:
    store.put(f"{filled}/models/newer/x.bin", b"1")
    store.put(f"{filled}/shadow/dt=2026-01-01/a.parquet", b"1")

    found = find_garbage(store, filled, keep_runs=0)

    assert [key for key in found.keys if "newer" in key or "shadow" in key] == []


@pytest.mark.parametrize(
    "damaged",
    [
        "champion.json",
        "rollout.json",
        "ledger/00000000.json",
        "raw/main/HEAD.json",
        "runs/old/problem/manifest.json",
        "runs/new/training/manifest.json",
        "runs/new/collection/snapshot-1.json",
    ],
)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe"], ids=["empty", "cut off", "no text"])
def test_a_damaged_document_ends_the_search(
    store: Store, filled: str, damaged: str, body: bytes
) -> None:
    store.put(f"{filled}/{damaged}", body)

    with pytest.raises(DamagedDocument, match=damaged):
        find_garbage(store, filled, keep_runs=1)


def test_something_like_an_artifact_ends_the_search(store: Store, filled: str) -> None:
    key = str(OutputKey(filled, "new", "collection", "snapshot-1.json"))
    store.put(key, canonical_json({"uri": 1, "sha256": "x", "bytes": -1}))

    with pytest.raises(DamagedDocument, match=r"snapshot-1\.json cannot be read as Artifact"):
        find_garbage(store, filled, keep_runs=1)


def test_each_retention_finds_what_it_goes_by() -> None:
    """What is kept with a run names its run; what is kept with a model its digest."""
    needed = {Retention.RUN: "run", Retention.MODEL: "digest"}
    for family in FAMILIES:
        if family.retention in needed:
            assert needed[family.retention] in family.__annotations__
    assert {family.retention for family in FAMILIES} == set(Retention)
    assert SourceHeadKey.retention is Retention.POINTER


def test_rows_of_a_day_go_long_after_it_as_the_decided_days_count(
    store: Store, filled: str
) -> None:
    sample = str(DaySampleKey(filled, date(2026, 1, 1), "a" * 16))
    store.put(sample, b"1")

    assert sample not in find_garbage(store, filled, keep_runs=9).keys
    store.put(str(DecisionKey(filled, date(2027, 4, 6))), b"{}")
    assert sample not in find_garbage(store, filled, keep_runs=9).keys
    store.put(str(DecisionKey(filled, date(2027, 4, 7))), b"{}")
    assert sample in find_garbage(store, filled, keep_runs=9).keys
