"""Model services for tests: one for those that only ask, and a way to start others."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from bundle_factory import Keys, Made, make_bundle, make_keys, upload
from service_process import Service, move_pointer, start_service

from contract.store.client import Store

SHARED = "shared-service"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def shared_bundle(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Made:
    return make_bundle(tmp_path_factory.mktemp("bundle"), SHARED, keys)


@pytest.fixture(scope="session")
def shared_service(
    store: Store, keys: Keys, shared_bundle: Made, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with a binary model, for tests that leave it as it was."""
    upload(store, SHARED, shared_bundle)
    move_pointer(store, SHARED, shared_bundle.digest)
    service = start_service(store, SHARED, keys, tmp_path_factory.mktemp("home"))
    try:
        service.wait_until_ready()
        yield service
    finally:
        ended = service.stop()
    assert ended == 0


@pytest.fixture
def start(
    store: Store, keys: Keys, problem_name: str, tmp_path: Path
) -> Iterator[Callable[..., Service]]:
    """Start services of the test's own problem; they share a home, and end with the test."""
    started: list[Service] = []

    def begin(variables: Mapping[str, str] | None = None) -> Service:
        service = start_service(store, problem_name, keys, tmp_path / "home", variables)
        started.append(service)
        return service

    yield begin
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


@pytest.fixture
def make(store: Store, keys: Keys, problem_name: str, tmp_path: Path) -> Callable[..., Made]:
    """Make and upload a bundle of the test's own problem."""

    def begin(name: str, **words: object) -> Made:
        made = make_bundle(tmp_path / name, problem_name, keys, **words)  # type: ignore[arg-type] # kind, bias
        upload(store, problem_name, made)
        return made

    return begin
