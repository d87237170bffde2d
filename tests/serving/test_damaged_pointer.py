"""A pointer that cannot be read: the service goes on with the model that it has, and says why."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bundle_factory import Keys, Made
from damage import damages
from watched_pointer import watch

from contract.serving_state import Rollout
from contract.store.client import Store
from contract.store.layout import rollout_key
from serving.pointer_watcher import PointerWatcher
from serving.service_state import ServiceState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def watched(
    store: Store, keys: Keys, make: Callable[..., Made], problem_name: str, tmp_path: Path
) -> tuple[PointerWatcher, ServiceState]:
    """A service's thread that has taken a first model."""
    made = make("first")
    rollout = Rollout(digest=made.digest, nonce="1", at=NOW)
    store.put(rollout_key(problem_name), rollout.canonical())
    watcher, state = watch(store, problem_name, keys, tmp_path)
    assert state.served is not None
    assert state.served.digest == made.digest
    return watcher, state


def test_a_damaged_pointer_leaves_the_model_in_service(
    store: Store, problem_name: str, watched: tuple[PointerWatcher, ServiceState]
) -> None:
    watcher, state = watched
    served = state.served
    key = rollout_key(problem_name)
    for damaged in damages(store.get(key)).values():
        store.put(key, damaged)

        watcher.poll()

        assert state.served is served
        assert state.not_ready_reason() is None
        assert state.load_failure is not None
        assert state.load_failure["final"]
        assert state.load_failure["why"].startswith(f"{key} cannot be read as Rollout")


def test_a_pointer_that_was_restored_is_followed_again(
    store: Store, problem_name: str, watched: tuple[PointerWatcher, ServiceState]
) -> None:
    watcher, state = watched
    key = rollout_key(problem_name)
    whole = Rollout.model_validate_json(store.get(key))
    store.put(key, b"{}")
    watcher.poll()

    store.put(key, whole.model_copy(update={"nonce": "2"}).canonical())
    watcher.poll()

    assert state.load_failure is None
