import json

import pytest

from contract.canonical_json import canonical_json
from contract.store.client import Store
from contract.store.layout import champion_key
from contract.store.ledger import Ledger, LedgerEntry
from perennial.garbage import delete, find_garbage

SERVED, TRIED, OLD = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def filled(store: Store, problem_name: str) -> str:
    """A problem with a served run, a newer one that was refused, and an old one nobody needs."""
    for run, digest, day in (("first", SERVED, 1), ("old", OLD, 2), ("new", TRIED, 3)):
        place = f"{problem_name}/runs/{run}"
        manifest = {"started": f"2026-01-0{day}T00:00:00Z", "outputs": {}}
        store.put(f"{place}/problem/manifest.json", canonical_json(manifest))
        bundle = {"uri": store.uri(f"{problem_name}/models/sha256/{digest}")}
        store.put(f"{place}/training/manifest.json", canonical_json({"outputs": bundle}))
        store.put(f"{problem_name}/models/sha256/{digest}/manifest.json", b"{}")
        store.put(f"{problem_name}/models/sha256/{digest}/member.bin", b"12345678")
        store.put(f"{problem_name}/raw/main/runs/{run}/part.parquet", b"1234")
    head = {"parts": [{"key": f"{problem_name}/raw/main/runs/first/part.parquet"}]}
    store.put(f"{problem_name}/raw/main/HEAD.json", canonical_json(head))
    store.put(
        f"{problem_name}/runs/new/collection/snapshot-1.json",
        canonical_json({"key": f"{problem_name}/raw/main/runs/new/part.parquet"}),
    )
    store.put(f"{problem_name}/predictions/dt=2026-01-01/a.parquet", b"1")
    champion = {"digest": SERVED, "run": "first", "nonce": "1"}
    store.put(champion_key(problem_name), canonical_json(champion))
    entry = {"id": "first/deployed", "kind": "deployed", "run": "first", "digest": SERVED}
    entry |= {"at": "2026-01-01T00:00:00Z", "written": "2026-01-01T00:00:00Z", "reason": "first"}
    Ledger(store, problem_name).append(LedgerEntry.model_validate(entry))
    return problem_name


def test_only_what_nobody_names_can_go(store: Store, filled: str) -> None:
    found = find_garbage(store, filled, keep_runs=1)

    assert found.runs == (f"{filled}/runs/old",)
    assert found.models == (f"{filled}/models/sha256/{OLD}",)
    assert found.parts == (f"{filled}/raw/main/runs/old/part.parquet",)
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
    assert f"{filled}/models/sha256/{SERVED}/member.bin" in left
    assert f"{filled}/predictions/dt=2026-01-01/a.parquet" in left
    assert f"{filled}/ledger/00000000.json" in left
    assert f"{filled}/raw/main/runs/first/part.parquet" in left
    assert [key for key in left if "/runs/old/" in key or "/runs/new/" in key] == []


def test_a_second_look_finds_nothing_more(store: Store, filled: str) -> None:
    delete(store, find_garbage(store, filled, keep_runs=1))

    assert find_garbage(store, filled, keep_runs=1).keys == ()


def test_a_landed_file_that_no_generation_names_can_go_although_its_run_is_kept(
    store: Store, filled: str
) -> None:
    found = find_garbage(store, filled, keep_runs=3)

    assert found.keys == (f"{filled}/raw/main/runs/old/part.parquet",)


def test_a_champion_without_a_ledger_is_kept(store: Store, filled: str) -> None:
    store.delete(f"{filled}/ledger/00000000.json")

    found = find_garbage(store, filled, keep_runs=0)

    assert SERVED in found.kept_models
    assert json.loads(store.get(champion_key(filled)))["digest"] == SERVED
