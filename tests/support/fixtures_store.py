"""A real S3 store for tests: SeaweedFS on free loopback ports, one a worker of pytest-xdist.

Tests share it, so each uses a problem name (the first part of every key) of its own.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import LIMIT_SECONDS

from contract.store.client import Store
from perennial.local import seaweedfs as seaweed


@pytest.fixture(scope="session")
def store_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start the store and yield the variables from which a process opens it."""
    # One at a time: two that choose their ports at once may choose the same, before either listens.
    with (Path(tempfile.gettempdir()) / "perennial-tests-store.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = seaweed.start(
            tmp_path_factory.mktemp("store"), memory="512MiB", ready_seconds=LIMIT_SECONDS
        )
    try:
        yield running.environment
    finally:
        running.stop()


@pytest.fixture(scope="session")
def store(store_environment: dict[str, str]) -> Iterator[Store]:
    """Yield the store, with the variables in the environment of this process and its children."""
    before = {name: os.environ.get(name) for name in store_environment}
    os.environ.update(store_environment)
    yield Store.from_environment()
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
