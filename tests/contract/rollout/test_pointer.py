"""The pointer of one machine moves by compare-and-swap, and the service shows what came of it."""

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.errors import Conflict, TryAgain
from contract.rollout.pointer import PointerTarget
from contract.rollout.target import RolloutRefused, RolloutTimeout, wait_until_served
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.documents import DamagedDocument
from contract.store.layout import rollout_key, service_key

OLD, NEW = "a" * 64, "b" * 64
NOW = datetime(2024, 6, 1, tzinfo=UTC)
URL = "http://127.0.0.1:8080"


@pytest.fixture
def target(store: Store, problem_name: str) -> Callable[[Mapping[str, Any] | None], PointerTarget]:
    """A machine whose service announced itself and says at /info what a test wants."""
    address = ServiceAddress(url=URL, pid=1, started=NOW)
    store.put(service_key(problem_name), address.canonical())
    return lambda info: PointerTarget(
        store, problem_name, {URL: info}.__getitem__, poll_seconds=0.01
    )


def test_before_the_first_rollout_there_is_none(target: Callable[..., PointerTarget]) -> None:
    assert target(None).rolled_out() is None


def test_what_is_rolled_out_already_is_not_written_again(
    target: Callable[..., PointerTarget], store: Store, problem_name: str
) -> None:
    machine = target(None)
    machine.roll_out(NEW, NOW)
    written = store.get(rollout_key(problem_name))
    machine.roll_out(NEW, NOW)

    assert machine.rolled_out() == NEW
    assert store.get(rollout_key(problem_name)) == written


def test_no_model_is_no_document_before_the_first_rollout_and_a_document_later(
    target: Callable[..., PointerTarget], store: Store, problem_name: str
) -> None:
    machine = target(None)
    machine.roll_out(None, NOW)
    assert store.head(rollout_key(problem_name)) is None
    machine.roll_out(NEW, NOW)
    machine.roll_out(None, NOW)

    assert Rollout.model_validate_json(store.get(rollout_key(problem_name))).digest is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"null", b'{"digest": 7}', b"\xff"])
def test_a_pointer_that_cannot_be_read_is_reported_and_written_anew(
    target: Callable[..., PointerTarget], store: Store, problem_name: str, damage: bytes
) -> None:
    machine = target(None)
    store.put(rollout_key(problem_name), damage)

    with pytest.raises(DamagedDocument, match=r"rollout\.json cannot be read as Rollout"):
        machine.rolled_out()
    machine.roll_out(NEW, NOW)

    assert machine.rolled_out() == NEW


def test_many_writers_at_once_all_come_to_an_end(
    target: Callable[..., PointerTarget], store: Store, problem_name: str
) -> None:
    machine, digests = target(None), [f"{number:064x}" for number in range(4)]
    machine.roll_out(NEW, NOW)
    threads = [threading.Thread(target=machine.roll_out, args=(d, NOW)) for d in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert machine.rolled_out() in digests


def test_a_pointer_that_others_write_all_the_time_is_a_conflict(
    store: Store, problem_name: str
) -> None:
    class Contended(Store):
        def get_with_etag(self, key: str) -> tuple[bytes, str] | None:
            stored = super().get_with_etag(key)
            self.put(key, Rollout(digest=OLD, nonce=uuid.uuid4().hex, at=NOW).canonical())
            return stored

    contended = Contended.from_environment()
    with pytest.raises(Conflict, match="is being written by others all the time"):
        PointerTarget(contended, problem_name, lambda _: None).roll_out(NEW, NOW)


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (None, f"the service at {URL} does not answer"),
        ({"digest": None}, "serves no model"),
        ({"digest": OLD, "ready": True}, "serves aaaaaaaaaaaa, expected bbbbbbbbbbbb"),
        ({"digest": NEW, "ready": False}, "serves bbbbbbbbbbbb"),
        ({"digest": OLD, "error": {"why": "it is away"}}, r"serves aaaaaaaaaaaa \(it is away\)"),
    ],
)
def test_the_time_limit_says_what_serves_instead(
    target: Callable[..., PointerTarget], info: Mapping[str, Any] | None, why: str
) -> None:
    with pytest.raises(RolloutTimeout, match=rf"After 0 s .*{why}"):
        wait_until_served(target(info), NEW, 0.0)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, r"no service has announced itself at .*/service\.json"),
        (b"{}", r"service\.json cannot be read as ServiceAddress"),
        (b"\xff", r"service\.json cannot be read as ServiceAddress"),
    ],
)
def test_without_a_service_the_wait_ends_and_says_what_is_missing(
    target: Callable[..., PointerTarget],
    store: Store,
    problem_name: str,
    body: bytes | None,
    why: str,
) -> None:
    machine = target(None)
    store.delete(service_key(problem_name))
    if body is not None:
        store.put(service_key(problem_name), body)

    with pytest.raises(RolloutTimeout, match=why):
        wait_until_served(machine, NEW, 0.05)


def test_an_address_that_cannot_be_read_is_said_before_anything_moves(
    target: Callable[..., PointerTarget], store: Store, problem_name: str
) -> None:
    machine = target(None)
    machine.check()
    store.put(service_key(problem_name), b"{}")

    with pytest.raises(DamagedDocument, match=r"service\.json cannot be read as ServiceAddress"):
        machine.check()


def test_a_store_that_is_away_for_a_moment_is_waited_for(
    target: Callable[..., PointerTarget], problem_name: str
) -> None:
    target(None)
    failures = iter([TryAgain("The store is away."), None])

    class Flaky(Store):
        def get_with_etag(self, key: str) -> tuple[bytes, str] | None:
            failure = next(failures, None)
            if failure is not None:
                raise failure
            return super().get_with_etag(key)

    machine = PointerTarget(
        Flaky.from_environment(),
        problem_name,
        lambda _: {"digest": NEW, "ready": True},
        poll_seconds=0.01,
    )

    assert wait_until_served(machine, NEW) == URL


def test_a_service_that_serves_and_is_ready_gives_its_url(
    target: Callable[..., PointerTarget],
) -> None:
    assert wait_until_served(target({"digest": NEW, "ready": True}), NEW) == URL


def test_a_model_that_the_service_refuses_for_good_is_not_waited_for(
    target: Callable[..., PointerTarget],
) -> None:
    error = {"digest": NEW, "final": True, "why": "its signature is unknown"}

    with pytest.raises(RolloutRefused, match="refused the model: its signature is unknown"):
        wait_until_served(target({"digest": OLD, "ready": True, "error": error}), NEW)


def test_an_older_refusal_says_nothing_of_the_new_model(
    target: Callable[..., PointerTarget],
) -> None:
    error = {"digest": OLD, "final": True, "why": "its signature is unknown"}

    assert wait_until_served(target({"digest": NEW, "ready": True, "error": error}), NEW) == URL
