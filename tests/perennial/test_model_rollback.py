"""A rollback by hand: which model it means, and what it leaves in the store."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contract.champion import Champion
from contract.errors import InvalidRequest, Refused, TryAgain
from contract.rollout.pointer import PointerTarget
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.layout import champion_key, rollout_key, service_key
from contract.store.ledger import Ledger, LedgerEntry
from perennial.model_rollback import RollbackRequest, choose, roll_back

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


def _request(problem: str = "churn", to: str | None = None) -> RollbackRequest:
    return RollbackRequest(problem=problem, to=to, reason="complaints", at=NOW)


@pytest.fixture
def prepare(store: Store, problem_name: str) -> Prepare:
    """Write ledger, champion, rollout and bundles of a problem."""

    def write(
        entries: list[LedgerEntry], champion: str, rolled_out: str, bundles: str = "abc"
    ) -> None:
        for entry in entries:
            Ledger(store, problem_name).append(entry)
        document = Champion(digest=champion, run="r", verdict=None, since=NOW, nonce="1")
        store.create(champion_key(problem_name), document.canonical())
        store.create(
            rollout_key(problem_name), Rollout(digest=rolled_out, nonce="1", at=NOW).canonical()
        )
        for letter in bundles:
            store.put(f"{problem_name}/models/sha256/{letter * 64}/manifest.json", b"{}")

    return write


def _rolled_out(store: Store, problem: str) -> str | None:
    return Rollout.model_validate_json(store.get(rollout_key(problem))).digest


def _target(
    store: Store, problem: str, serves: Callable[[], str | None] | None = None
) -> PointerTarget:
    """Return a machine's rollout whose service follows `rollout.json`, or serves what a test says."""
    address = ServiceAddress(url="http://127.0.0.1:1", pid=1, started=NOW)
    store.put(service_key(problem), address.canonical())
    digest = serves or (lambda: _rolled_out(store, problem))
    info = lambda _: {"digest": digest(), "ready": True}
    return PointerTarget(store, problem, info, poll_seconds=0.01)


def _champion(store: Store, problem: str) -> Champion:
    return Champion.model_validate_json(store.get(champion_key(problem)))


@pytest.mark.parametrize(
    ("entries", "champion", "expected"),
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
    entries: list[tuple[str, ...]], champion: str, expected: str
) -> None:
    assert choose([_entry(*words) for words in entries], champion, _request()) == expected


@pytest.mark.parametrize(
    "entries",
    [[("deployed", A)], [("deployed", A), ("deployed", B, A), ("rollback", A, B)]],
    ids=["the first", "back at the first"],
)
def test_before_the_first_model_there_is_none(entries: list[tuple[str, ...]]) -> None:
    with pytest.raises(
        InvalidRequest, match=r"names no model before aaaaaaaaaaaa; name one by --to"
    ):
        choose([_entry(*words) for words in entries], A, _request())


@pytest.mark.parametrize("digits", ["aaa", "aaaab", "ffff"])
def test_digits_that_mean_no_model_are_refused(digits: str) -> None:
    with pytest.raises(InvalidRequest, match=r"means \d models of the ledger, one is expected"):
        choose([_entry("deployed", A)], B, _request(to=digits))


def test_a_rollback_moves_rollout_champion_and_ledger(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)

    done = roll_back(store, _request(problem_name), _target(store, problem_name))

    assert (done.digest, done.previous, done.entry) == (A, B, 2)
    assert _rolled_out(store, problem_name) == A
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
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)

    with pytest.raises(
        TryAgain, match=r"did not serve aaaaaaaaaaaa within 0 s, so bbbbbbbbbbbb was rolled out"
    ):
        roll_back(store, _request(problem_name), _target(store, problem_name, lambda: B), 0.0)

    assert _rolled_out(store, problem_name) == B
    assert _champion(store, problem_name).digest == B
    assert len(Ledger(store, problem_name).entries()) == 2


def test_a_model_that_is_gone_is_not_rolled_out(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare(
        [_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B, bundles="b"
    )

    with pytest.raises(InvalidRequest, match="The model aaaaaaaaaaaa is no longer in the store"):
        roll_back(store, _request(problem_name), _target(store, problem_name))

    assert _rolled_out(store, problem_name) == B


def test_a_deployment_that_was_cut_short_is_mended(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=C)

    done = roll_back(store, _request(problem_name), _target(store, problem_name))

    assert (done.digest, done.previous) == (B, C)
    assert _rolled_out(store, problem_name) == B
    assert _champion(store, problem_name).nonce == "1"


def test_without_a_champion_there_is_nothing_to_go_back_from(
    store: Store, problem_name: str
) -> None:
    with pytest.raises(InvalidRequest, match="has no champion yet"):
        roll_back(store, _request(problem_name), _target(store, problem_name))


def test_a_champion_that_cannot_be_read_is_refused_until_a_model_is_named(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    store.put(champion_key(problem_name), b"{}")

    with pytest.raises(Refused, match=rf"perennial rollback {problem_name} --to DIGEST"):
        roll_back(store, _request(problem_name), _target(store, problem_name))

    assert store.get(champion_key(problem_name)) == b"{}"
    assert _rolled_out(store, problem_name) == B


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"null", b"[1]", b"\xff\xfe", b'{"digest": "b', b'{"newer": 2}']
)
@pytest.mark.parametrize(("named", "previous"), [(A, B), (B, None)], ids=["the other", "the same"])
def test_a_named_model_restores_a_champion_that_cannot_be_read(  # noqa: PLR0917 - what pytest gives
    store: Store,
    problem_name: str,
    prepare: Prepare,
    damage: bytes,
    named: str,
    previous: str | None,
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    store.put(champion_key(problem_name), damage)

    done = roll_back(store, _request(problem_name, to=named[:6]), _target(store, problem_name))

    assert (done.digest, done.previous) == (named, previous)
    assert _rolled_out(store, problem_name) == named
    champion = _champion(store, problem_name)
    assert (champion.digest, champion.run) == (named, f"run-{named[0]}")
    entry = Ledger(store, problem_name).entries()[-1]
    assert (entry.kind, entry.digest, entry.previous) == ("rollback", named, previous)


def test_beside_a_champion_that_cannot_be_read_the_way_back_leads_to_what_was_rolled_out(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    store.put(champion_key(problem_name), b"{}")

    target = _target(store, problem_name, lambda: B)
    with pytest.raises(TryAgain, match="so bbbbbbbbbbbb was rolled out again"):
        roll_back(store, _request(problem_name, to=A[:6]), target, 0.0)

    assert _rolled_out(store, problem_name) == B
    assert store.get(champion_key(problem_name)) == b"{}"
    assert len(Ledger(store, problem_name).entries()) == 2


def test_a_damaged_champion_that_somebody_else_restores_meanwhile_is_left_alone(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    whole = store.get(champion_key(problem_name))
    store.put(champion_key(problem_name), b"{}")

    def restored() -> str | None:
        store.put(champion_key(problem_name), whole)
        return _rolled_out(store, problem_name)

    request = _request(problem_name, to=A[:6])
    with pytest.raises(TryAgain, match="Another writer changed"):
        roll_back(store, request, _target(store, problem_name, restored))

    assert store.get(champion_key(problem_name)) == whole
    assert _rolled_out(store, problem_name) == B


def test_a_rollout_that_cannot_be_read_is_written_anew(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=C)
    store.put(rollout_key(problem_name), b"{}")

    done = roll_back(store, _request(problem_name), _target(store, problem_name))

    assert (done.digest, done.previous) == (B, None)
    assert _rolled_out(store, problem_name) == B
    assert _champion(store, problem_name).nonce == "1"


def test_a_model_that_the_service_refuses_is_not_waited_for(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    _target(store, problem_name)
    error = {"digest": A, "final": True, "why": "its signature is unknown"}
    info = {"digest": B, "ready": True, "error": error}

    with pytest.raises(Refused, match=r"refused the model: its signature is unknown, so bbbb"):
        roll_back(store, _request(problem_name), PointerTarget(store, problem_name, lambda _: info))

    assert _rolled_out(store, problem_name) == B


def test_a_champion_that_is_moved_meanwhile_is_served_again(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    moved = Champion(digest=C, run="run-c", verdict=None, since=NOW, nonce="2").canonical()

    def deployed() -> str | None:
        store.put(champion_key(problem_name), moved)
        return _rolled_out(store, problem_name)

    with pytest.raises(TryAgain, match="so cccccccccccc was rolled out again"):
        roll_back(store, _request(problem_name), _target(store, problem_name, deployed))

    assert _rolled_out(store, problem_name) == _champion(store, problem_name).digest == C


def test_where_nothing_can_be_read_a_named_model_stays_rolled_out(
    store: Store, problem_name: str, prepare: Prepare
) -> None:
    """Going back to no model would stop a service that still answers."""
    prepare([_entry("deployed", A), _entry("deployed", B, A)], champion=B, rolled_out=B)
    for key in (champion_key(problem_name), rollout_key(problem_name)):
        store.put(key, b"{}")

    target = _target(store, problem_name, lambda: B)
    with pytest.raises(TryAgain, match="and it stays rolled out"):
        roll_back(store, _request(problem_name, to=A[:6]), target, 0.0)

    assert _rolled_out(store, problem_name) == A
    assert store.get(champion_key(problem_name)) == b"{}"
