from pathlib import Path

import pytest

from contract.errors import Conflict, NotFound
from rehearsal.folder_store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore("bucket", tmp_path / "store")


def test_keys_come_sorted_behind_the_one_that_is_named(store: FolderStore) -> None:
    for key in ("p/b/2", "p/a/1", "p/b/1", "q/a/1", "p/ab"):
        store.put(key, b"")

    assert list(store.keys("p/")) == ["p/a/1", "p/ab", "p/b/1", "p/b/2"]
    assert list(store.keys("p/a")) == ["p/a/1", "p/ab"]
    assert list(store.keys("p/", start_after="p/b")) == ["p/b/1", "p/b/2"]
    assert list(store.keys("p/", start_after="p/b/1")) == ["p/b/2"]
    assert list(store.keys("nothing/")) == []


def test_a_swap_loses_against_an_earlier_writer(store: FolderStore) -> None:
    etag = store.create("key", b"first")
    store.swap("key", b"second", etag)

    with pytest.raises(Conflict):
        store.swap("key", b"third", etag)
    with pytest.raises(Conflict):
        store.create("key", b"third")
    assert store.get("key") == b"second"


def test_a_file_that_is_being_written_has_no_key(store: FolderStore, tmp_path: Path) -> None:
    store.put("p/whole", b"")
    (tmp_path / "store" / "p" / ".half.0123").write_bytes(b"")

    assert list(store.keys("p/")) == ["p/whole"]


def test_what_is_not_there_is_told(store: FolderStore) -> None:
    assert store.head("p/none") is None
    assert store.get_with_etag("p/none") is None
    with pytest.raises(NotFound):
        store.get("p/none")
