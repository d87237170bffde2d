from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contract.champion import Champion
from contract.errors import AskedWrongly, TryAgain
from contract.serving_state import Rollout
from contract.store.client import Store
from contract.store.layout import champion_key, rollout_key
from contract.store.ledger import Ledger, LedgerEntry
from perennial.local.pointing import Pointer
from perennial.model_rollback import Wish, choose, roll_back

A, B, C = "a" * 64, "b" * 64, "c" * 64
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Prepare = Callable[..., None]


def _entry(kind: str, digest: str, previous: str | None = None) -> LedgerEntry:
    return LedgerEntry(
        id=f"{digest[:1]}/{kind}/{previous}",
        kind=kind,  # type: ignore[arg-type] # one of the known kinds
        at=NOW,
        written=NOW,
        run=f"run-{digest[:1]}",
        digest=digest,
        previous=previous,
        reason="better",
    )


def _wish(problem: str = "churn", to: str | None = None) -> Wish:
    return Wish(problem=problem, to=to, reason="complaints", at=NOW)


@pytest.fixture
def prepare(store: Store, problem_name: str) -> Prepare:
    """Write ledger, champion, rollout and bundles of a problem."""

    def write(entries: list[LedgerEntry], holder: str, told: str, bundles: str = "abc") -> None:
        for entry in entries:
            Ledger(store, problem_name).append(entry)
        champion = Champion(digest=holder, run="r", verdict=None, since=NOW, nonce="1")
        store.create(champion_key(problem_name), champion.canonical())
        store.create(rollout_key(problem_name), Rollout(digest=told, nonce="1", at=NOW).canonical())
        for letter in bundles:
            store.put(f"{problem_name}/models/sha256/{letter * 64}/manifest.json", b"{}")

    return write


def _told(store: Store, problem: str) -> str | None:
    return Rollout.model_validate_json(store.get(rollout_key(problem))).digest


def _champion(store: Store, problem: str) -> Champion:
    return Champion.model_validate_json(store.get(champion_key(problem)))


@pytest.mark.parametrize(
    ("entries", "holder", "expected"),
    [
        ([("deployed", A), ("deployed", B, A)], B, A),
        ([("deployed", A), ("deployed", B, A), ("deployed", C, B)], C, B),
        ([("deployed", A), ("deployed", B, A), ("deployed", C, B), ("rollback", B, C)], B, A),
        ([("deployed", A), ("deployed", B, A), ("rollback", A, B), ("deployed", C, A)], C, A),
        ([("deployed", A), ("refused", C, A), ("deployed", B, A)], B, A),
    ],
    ids=["the one before", "the one before of three", "twice", "after a return", "never refused"],
)
def test_the_model_before_is_chosen(
    entries: list[tuple[str, ...]], holder: str, expected: str
) -> None:
    assert choose([_entry(*words) for words in entries], holder, _wish()) == expected


@pytest.mark.parametrize(
    "entries",
    [[("deployed", A)], [("deployed", A), ("deployed", B, A), ("rollback", A, B)]],
    ids=["the first", "back at the first"],
)
def test_before_the_first_model_there_is_none(entries: list[tuple[str, ...]]) -> None:
    with pytest.raises(AskedWrongly, match=r"names no model before aaaaaaaaaaaa; name one by --to"):
        choose([_entry(*words) for words in entries], A, _wish())


@pytest.mark.parametrize("digits", ["aaa", "aaaab", "ffff"])
def test_digits_that_mean_no_model_are_refused(digits: str) -> None:
    with pytest.raises(AskedWrongly, match=r"means \d models of the ledger, one is expected"):
        choose([_entry("deployed", A)], B, _wish(to=digits))


def test_a_rollback_moves_rollout_champion_and_ledger(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], holder=B, told=B)

    done = roll_back(
        store,
        _wish(problem_name),
        Pointer(store, problem_name, lambda: _told(store, problem_name)),
    )

    assert (done.digest, done.previous, done.entry) == (A, B, 2)
    assert _told(store, problem_name) == A
    champion = _champion(store, problem_name)
    assert (champion.digest, champion.run, champion.verdict) == (A, "run-a", None)
    entry = Ledger(store, problem_name).entries()[-1]
    assert (entry.kind, entry.digest, entry.previous, entry.reason, entry.at) == (
        "rollback",
        A,
        B,
        "complaints",
        NOW,
    )


def test_a_service_that_does_not_follow_keeps_the_champion(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], holder=B, told=B)

    with pytest.raises(TryAgain, match=r"did not serve aaaaaaaaaaaa within 0 s, so it was told"):
        roll_back(store, _wish(problem_name), Pointer(store, problem_name, lambda: B), 0.0)

    assert _told(store, problem_name) == B
    assert _champion(store, problem_name).digest == B
    assert len(Ledger(store, problem_name).entries()) == 2


def test_a_model_that_is_gone_is_not_rolled_out(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], holder=B, told=B, bundles="b")

    with pytest.raises(AskedWrongly, match="The model aaaaaaaaaaaa is no longer in the store"):
        roll_back(store, _wish(problem_name), Pointer(store, problem_name, lambda: B))

    assert _told(store, problem_name) == B


def test_a_deployment_that_was_cut_short_is_mended(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], holder=B, told=C)

    done = roll_back(
        store,
        _wish(problem_name),
        Pointer(store, problem_name, lambda: _told(store, problem_name)),
    )

    assert (done.digest, done.previous) == (B, C)
    assert _told(store, problem_name) == B
    assert _champion(store, problem_name).nonce == "1"


def test_without_a_champion_there_is_nothing_to_go_back_from(
    store: Store, problem_name: str
) -> None:
    with pytest.raises(AskedWrongly, match="has no champion yet"):
        roll_back(store, _wish(problem_name), Pointer(store, problem_name, lambda: None))
