"""The command beside a damaged document: what it still says, and the way back."""

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from answering import Request, answering
from click.testing import Result
from damage import damages
from store_documents import NOON, put_manifest

from contract.champion import Champion
from contract.errors import Refused, TryAgain
from contract.rollout.pointer import PointerTarget
from contract.serving_state import Rollout, ServiceAddress
from contract.store.champion_pointer import read_champion
from contract.store.client import Store
from contract.store.documents import DamagedDocument
from contract.store.layout import (
    LedgerKey,
    ManifestKey,
    ModelFileKey,
    SourceHeadKey,
    champion_key,
    rollout_key,
    service_key,
)
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.source_head import SourceHead, commit
from perennial.garbage import find_garbage
from perennial.local.home import Home
from perennial.local.machine_platform import MachinePlatform, open_platform
from perennial.model_rollback import RollbackRequest, roll_back
from perennial.problem_status import problem_status

A, B = "a" * 64, "b" * 64
Call = Callable[..., Result]
OTHER = LedgerEntry(
    id="another", kind="deployed", at=NOON, written=NOON, run="r", digest=A, reason="Better."
).canonical()


@pytest.fixture
def deployed(store: Store, name: str) -> str:
    """A problem whose second model serves."""
    for digest, previous in ((A, None), (B, A)):
        entry = LedgerEntry(
            id=f"{digest}/deployed",
            kind="deployed",
            at=NOON,
            written=NOON,
            run=f"run-{digest[0]}",
            digest=digest,
            previous=previous,
            reason="It was better.",
        )
        Ledger(store, name).append(entry)
        store.put(str(ModelFileKey(name, digest, "manifest.json")), b"{}")
        put_manifest(store, ManifestKey(name, entry.run, "problem"))
    champion = Champion(digest=B, run="run-b", verdict=None, since=NOON, nonce="1")
    store.put(champion_key(name), champion.canonical())
    store.put(rollout_key(name), Rollout(digest=B, nonce="1", at=NOON).canonical())
    address = ServiceAddress(url="http://127.0.0.1:1", pid=1, started=NOON)
    store.put(service_key(name), address.canonical())
    commit(store, name, "customers", SourceHead(generation=1), None)
    return name


def cases(store: Store, key: str) -> dict[str, bytes]:
    return damages(store.get(key), OTHER)


def objects(store: Store, problem: str) -> dict[str, bytes]:
    return {key: store.get(key) for key in store.keys(f"{problem}/")}


def target(store: Store, problem: str, digest: str) -> PointerTarget:
    """Return the rollout to a service that answers with `digest`, whatever it should serve."""
    return PointerTarget(
        store,
        problem,
        lambda _: {"digest": digest, "ready": True},
        timeout_seconds=0.0,
        poll_seconds=0.0,
    )


def check_refused(result: Result, key: str) -> None:
    """See one sentence that names the key, and exit code 3."""
    assert result.exit_code == 3, result.output
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("perennial: ")
    assert key in sentence


@dataclass(frozen=True)
class SharedStorePlatform(MachinePlatform):
    """The platform of a machine; it opens the store once, for the hundreds of looks of these tests."""

    opened: Store | None = None

    def store(self) -> Store:
        assert self.opened is not None
        return self.opened


@pytest.fixture
def platform(home: Home, store: Store, deployed: str) -> MachinePlatform:
    assert deployed
    found = vars(open_platform(home))
    return SharedStorePlatform(**found, opened=store)


def test_status_shows_the_rest_beside_a_damaged_champion(
    platform: MachinePlatform, store: Store, deployed: str
) -> None:
    key = champion_key(deployed)
    for damaged in cases(store, key).values():
        store.put(key, damaged)

        found = problem_status(platform, deployed)

        assert (found["champion"], found["rollout"], found["damaged"]) == (None, B, ["champion"])
        assert found["service"]["url"] == "http://127.0.0.1:1"
        (warning,) = found["warnings"]
        assert warning.startswith(f"{key} cannot be read as Champion")


def test_status_of_all_says_damaged_and_not_none_yet(
    call: Call, store: Store, deployed: str
) -> None:
    store.put(champion_key(deployed), b"{}")

    shown = call("status").stdout

    assert "none yet" not in shown
    assert "damaged" in shown
    assert f"{deployed}: {champion_key(deployed)} cannot be read as Champion" in shown


@pytest.mark.parametrize(("part", "key_of"), [("rollout", rollout_key), ("service", service_key)])
def test_status_shows_the_champion_beside_another_damaged_pointer(
    platform: MachinePlatform,
    store: Store,
    deployed: str,
    part: str,
    key_of: Callable[[str], str],
) -> None:
    key = key_of(deployed)
    for damaged in cases(store, key).values():
        store.put(key, damaged)

        found = problem_status(platform, deployed)

        assert (found["champion"]["digest"], found["damaged"]) == (B, [part])
        assert found["warnings"][0].startswith(f"{key} cannot be read as ")


@pytest.mark.parametrize("words", [("history",), ("gc",), ("rollback",)])
def test_a_damaged_ledger_refuses_and_nothing_changes(
    call: Call, store: Store, deployed: str, words: tuple[str, ...]
) -> None:
    key = str(LedgerKey(deployed, 0))
    store.put(key, b"{}")
    before = objects(store, deployed)

    check_refused(call(*words, deployed), key)

    assert objects(store, deployed) == before


@pytest.mark.parametrize(
    "key_of",
    [
        champion_key,
        rollout_key,
        lambda name: str(SourceHeadKey(name, "customers")),
        lambda name: str(ManifestKey(name, "run-a", "problem")),
    ],
    ids=["champion", "rollout", "HEAD", "manifest"],
)
def test_gc_deletes_nothing_beside_a_damaged_document(
    call: Call, store: Store, deployed: str, key_of: Callable[[str], str]
) -> None:
    key = key_of(deployed)
    for damaged in cases(store, key).values():
        store.put(key, damaged)

        with pytest.raises(DamagedDocument, match=key):
            find_garbage(store, deployed, keep_runs=0)
    before = objects(store, deployed)

    check_refused(call("gc", deployed, "--keep-runs", "0", "--delete"), key)

    assert objects(store, deployed) == before


def test_a_plan_beside_a_damaged_head_says_so(call: Call, store: Store, deployed: str) -> None:
    key = str(SourceHeadKey(deployed, "customers"))
    store.put(key, b"{}")

    check_refused(call("plan", deployed), key)


def test_a_prediction_beside_a_damaged_address_says_so(
    call: Call, store: Store, deployed: str
) -> None:
    key = service_key(deployed)
    store.put(key, b"{}")

    check_refused(call("predict", deployed, stdin="{}"), key)


def test_rollback_without_a_digest_says_how_a_damaged_champion_is_restored(
    call: Call, store: Store, deployed: str
) -> None:
    key = champion_key(deployed)
    wish = RollbackRequest(problem=deployed, to=None, reason="r", at=NOON)
    for damaged in cases(store, key).values():
        store.put(key, damaged)

        with pytest.raises(Refused, match=key):
            roll_back(store, wish, target(store, deployed, B))
    before = objects(store, deployed)

    result = call("rollback", deployed)

    check_refused(result, key)
    assert f"`perennial rollback {deployed} --to DIGEST` writes the document anew" in result.stderr
    assert objects(store, deployed) == before


def test_rollback_to_a_digest_restores_a_damaged_champion(
    call: Call, store: Store, deployed: str
) -> None:
    def answer(request: Request) -> tuple[int, object]:
        del request
        return 200, {"digest": A, "ready": True}

    store.put(champion_key(deployed), b"{}")
    with answering(answer) as port:
        address = ServiceAddress(url=f"http://127.0.0.1:{port}", pid=1, started=NOON)
        store.put(service_key(deployed), address.canonical())

        result = call("rollback", deployed, "--to", A[:6], "--at", "2026-02-01T00:00:00Z")

    assert result.exit_code == 0, result.output
    champion = read_champion(store, deployed)
    assert champion is not None
    assert (champion.digest, champion.run) == (A, "run-a")
    assert champion.since == datetime(2026, 2, 1, tzinfo=UTC)
    entry = Ledger(store, deployed).entries()[-1]
    assert (entry.kind, entry.digest, entry.previous) == ("rollback", A, B)
    assert entry.by == getpass.getuser()
    assert getpass.getuser() in call("history", deployed).stdout


@pytest.mark.parametrize("half", [0, 1])
def test_every_damage_of_the_champion_is_restored(store: Store, deployed: str, half: int) -> None:
    key = champion_key(deployed)
    for damaged in list(cases(store, key).values())[half::2]:
        store.put(key, damaged)
        served = target(store, deployed, A)

        done = roll_back(
            store, RollbackRequest(problem=deployed, to=A[:6], reason="r", at=NOON), served
        )

        assert done.digest == A
        champion = read_champion(store, deployed)
        assert champion is not None
        assert champion.digest == A


def test_a_service_that_does_not_follow_leaves_the_damaged_champion_as_it_was(
    store: Store, deployed: str
) -> None:
    key = champion_key(deployed)
    store.put(key, b"{}")
    served = target(store, deployed, B)

    with pytest.raises(TryAgain, match=f"so {B[:12]} was rolled out again"):
        roll_back(
            store, RollbackRequest(problem=deployed, to=A[:6], reason="r", at=NOON), served, 0.0
        )

    assert store.get(key) == b"{}"
    assert served.rolled_out() == B
    assert len(Ledger(store, deployed).entries()) == 2


@pytest.mark.parametrize("half", [0, 1])
def test_a_rollback_beside_a_damaged_address_ends_at_once_and_changes_nothing(
    store: Store, deployed: str, half: int
) -> None:
    key = service_key(deployed)
    request = RollbackRequest(problem=deployed, to=None, reason="r", at=NOON)
    for damaged in list(cases(store, key).values())[half::2]:
        store.put(key, damaged)
        before = objects(store, deployed)
        # A limit that no test could wait for: the answer comes before anything is waited for.
        served = target(store, deployed, A)

        with pytest.raises(Refused, match=f"{key} cannot be read as ServiceAddress") as caught:
            roll_back(store, request, served, timeout_seconds=1e6)

        assert caught.value.exit_code == 3
        assert "`perennial down`, then `perennial up`" in str(caught.value)
        assert objects(store, deployed) == before


def test_rollback_says_that_the_address_is_damaged(call: Call, store: Store, deployed: str) -> None:
    store.put(service_key(deployed), b"{}")

    check_refused(call("rollback", deployed), service_key(deployed))


@pytest.mark.parametrize("half", [0, 1])
def test_a_damaged_rollout_is_written_anew_by_a_rollback(
    store: Store, deployed: str, half: int
) -> None:
    key = rollout_key(deployed)
    for damaged in list(cases(store, key).values())[half::2]:
        store.put(key, damaged)
        served = target(store, deployed, B)

        done = roll_back(
            store, RollbackRequest(problem=deployed, to=None, reason="r", at=NOON), served
        )

        assert (done.digest, served.rolled_out()) == (B, B)
