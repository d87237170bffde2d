"""A bundle comes from the store whole, checked, and once."""

from pathlib import Path
from typing import Any

import pytest

import bundle
from bundle import BundleRefused, signing
from contract.errors import NotFound
from contract.store.client import Store


def publish(store: Store, problem: str, folder: Path, digest: str) -> str:
    """Put the bundle's files where a run would, and return their prefix."""
    prefix = f"{problem}/models/sha256/{digest}"
    for path in folder.rglob("*"):
        if path.is_file():
            store.put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())
    return prefix


def test_a_fetched_bundle_loads(
    store: Store, problem_name: str, tmp_path: Path, parts: Any
) -> None:
    key = signing.new_key()
    digest = parts.write(tmp_path / "b", signing_key=key)
    publish(store, problem_name, tmp_path / "b", digest)

    found = bundle.fetch(store, problem_name, digest, tmp_path / "cache")

    assert found == tmp_path / "cache" / digest
    assert bundle.load(found, digest=digest, keys=[signing.public_pem(key)]).digest == digest
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [digest]


def test_a_whole_copy_is_used_again_and_a_damaged_one_replaced(
    store: Store, problem_name: str, tmp_path: Path, parts: Any
) -> None:
    digest = parts.write(tmp_path / "b")
    prefix = publish(store, problem_name, tmp_path / "b", digest)
    place = bundle.fetch(store, problem_name, digest, tmp_path / "cache")
    card = (place / "card.json").read_bytes()

    (place / "card.json").write_bytes(b"{}")
    bundle.fetch(store, problem_name, digest, tmp_path / "cache")
    assert (place / "card.json").read_bytes() == card

    store.delete(f"{prefix}/card.json")
    assert bundle.fetch(store, problem_name, digest, tmp_path / "cache") == place


def test_several_may_fetch_at_once(
    store: Store, problem_name: str, tmp_path: Path, parts: Any
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    digest = parts.write(tmp_path / "b")
    publish(store, problem_name, tmp_path / "b", digest)
    cache = tmp_path / "cache"

    with ThreadPoolExecutor(4) as pool:
        places = list(
            pool.map(lambda _: bundle.fetch(store, problem_name, digest, cache), range(4))
        )

    assert places == [cache / digest] * 4
    assert [path.name for path in cache.iterdir()] == [digest]


def test_a_changed_file_is_refused_and_leaves_nothing(
    store: Store, problem_name: str, tmp_path: Path, parts: Any
) -> None:
    digest = parts.write(tmp_path / "b")
    prefix = publish(store, problem_name, tmp_path / "b", digest)
    size = (tmp_path / "b/card.json").stat().st_size
    store.put(f"{prefix}/card.json", b" " * size)

    with pytest.raises(BundleRefused, match=r"card\.json is not the file"):
        bundle.fetch(store, problem_name, digest, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_longer_file_is_not_even_downloaded(
    store: Store, problem_name: str, tmp_path: Path, parts: Any
) -> None:
    digest = parts.write(tmp_path / "b")
    prefix = publish(store, problem_name, tmp_path / "b", digest)
    store.put(f"{prefix}/card.json", bytes(100_000))

    with pytest.raises(BundleRefused, match="of 100000 bytes is longer than"):
        bundle.fetch(store, problem_name, digest, tmp_path / "cache")


def test_another_manifest_is_refused(
    store: Store, problem_name: str, tmp_path: Path, parts: Any
) -> None:
    parts.write(tmp_path / "b")
    publish(store, problem_name, tmp_path / "b", "0" * 64)

    with pytest.raises(BundleRefused, match=f"expected {'0' * 64}"):
        bundle.fetch(store, problem_name, "0" * 64, tmp_path / "cache")


def test_an_absent_bundle_is_not_found(store: Store, problem_name: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"manifest\.json, which the model needs"):
        bundle.fetch(store, problem_name, "0" * 64, tmp_path)


def test_a_digest_that_is_a_path_is_refused(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    with pytest.raises(BundleRefused, match="is no sha256"):
        bundle.fetch(store, problem_name, "../" * 21 + "x", tmp_path)
