"""A service's thread that follows the pointer of a problem, without the process around it."""

from pathlib import Path

from bundle_factory import Keys

from contract.store.client import Store
from serving.pointer_watcher import PointerWatcher
from serving.service_state import ServiceState
from serving.settings import Settings


def watch(
    store: Store, problem: str, keys: Keys, folder: Path
) -> tuple[PointerWatcher, ServiceState]:
    """Return the thread's object after its first look, and what it has loaded."""
    settings = Settings(
        problem=problem,
        host="127.0.0.1",
        port=0,
        source="pointer",
        digest=None,
        key_digests=(),
        verify_keys=keys.folder,
        folder=folder,
        drain_seconds=0.0,
        poll_seconds=1.0,
        connection_requests=1,
        connection_seconds=1.0,
    )
    state = ServiceState(problem=problem)
    watcher = PointerWatcher(settings, store, state, "http://127.0.0.1:1")
    watcher.poll()
    return watcher, state
