import threading
from pathlib import Path

import pytest

from contract.artifacts import Artifact
from contract.canonical_json import sha256
from contract.errors import Conflict, InvalidRequest, NotFound, TryAgain
from contract.store.client import Store
from contract.store.documents import read_json_artifact


def artifact(store: Store, key: str, body: bytes) -> Artifact:
    store.put(key, body)
    return Artifact(uri=store.uri(key), sha256=sha256(body), bytes=len(body))


def test_what_was_put_is_there(store: Store, problem_name: str) -> None:
    key = f"{problem_name}/a"
    store.put(key, b"one")

    head = store.head(key)

    assert store.get(key) == b"one"
    assert head is not None
    assert head.bytes == 3


def test_what_is_absent_is_said_to_be(store: Store, problem_name: str) -> None:
    key = f"{problem_name}/absent"

    assert store.head(key) is None
    assert store.get_with_etag(key) is None
    with pytest.raises(NotFound, match="There is no object"):
        store.get(key)


def test_create_never_overwrites(store: Store, problem_name: str) -> None:
    key = f"{problem_name}/a"
    store.create(key, b"first")

    with pytest.raises(Conflict):
        store.create(key, b"second")

    assert store.get(key) == b"first"


def test_the_loser_of_a_swap_writes_nothing(store: Store, problem_name: str) -> None:
    key = f"{problem_name}/a"
    old = store.create(key, b"0")
    new = store.swap(key, b"1", old)

    with pytest.raises(Conflict):
        store.swap(key, b"2", old)

    assert store.get_with_etag(key) == (b"1", new)


@pytest.mark.slow
def test_of_several_writers_at_once_one_wins_each_round(store: Store, problem_name: str) -> None:
    key = f"{problem_name}/counter"
    store.create(key, b"start")
    rounds, writers = 10, 4

    def write(writer: int, number: int, etag: str, won: list[int]) -> None:
        try:
            store.swap(key, f"{number}-{writer}".encode(), etag)
        except Conflict:
            return
        won.append(writer)

    for number in range(rounds):
        found = store.get_with_etag(key)
        assert found is not None
        won: list[int] = []
        threads = [
            threading.Thread(target=write, args=(writer, number, found[1], won))
            for writer in range(writers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert store.get(key) == f"{number}-{won[0]}".encode()


def test_keys_come_sorted_and_behind_a_start(store: Store, problem_name: str) -> None:
    names = [f"{problem_name}/k/{number:03d}" for number in (2, 0, 1)]
    for name in names:
        store.put(name, b"")

    assert list(store.keys(f"{problem_name}/k/")) == sorted(names)
    assert list(store.keys(f"{problem_name}/k/", start_after=min(names))) == sorted(names)[1:]


def test_long_lists_are_read_to_their_end(
    store: Store, problem_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        store.put(f"{problem_name}/k/{number}", b"")
    ask = store._client.list_objects_v2
    monkeypatch.setattr(
        store._client, "list_objects_v2", lambda **names: ask(**names, MaxKeys=2), raising=True
    )

    assert len(list(store.keys(f"{problem_name}/k/"))) == 5


def test_deleting_twice_is_no_error(store: Store, problem_name: str) -> None:
    key = f"{problem_name}/a"
    store.put(key, b"x")

    store.delete(key)
    store.delete(key)

    assert store.head(key) is None


def test_reading_checks_the_digest(store: Store, problem_name: str, tmp_path: Path) -> None:
    named = artifact(store, f"{problem_name}/a", b'{"a":1}')
    store.put(f"{problem_name}/a", b'{"a":2}')

    with pytest.raises(InvalidRequest, match="the object was changed: start a new run"):
        store.read(named)
    with pytest.raises(InvalidRequest, match="the object was changed"):
        store.fetch(named, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_fetched_file_is_kept_by_its_digest(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    named = artifact(store, f"{problem_name}/a", b"body")

    path = store.fetch(named, tmp_path / "cache")
    store.delete(f"{problem_name}/a")

    assert path.read_bytes() == b"body"
    assert store.fetch(named, tmp_path / "cache") == path


def test_a_document_is_parsed(store: Store, problem_name: str) -> None:
    assert read_json_artifact(store, artifact(store, f"{problem_name}/a", b'{"a":1}')) == {"a": 1}


def test_a_file_is_put(store: Store, problem_name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    store.put_file(f"{problem_name}/file", tmp_path / "file")

    assert store.get(f"{problem_name}/file") == b"content"


def test_a_uri_of_another_bucket_is_refused(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="is not in the bucket"):
        store.key("s3://elsewhere/a")


def test_without_a_bucket_the_sentence_names_the_variable() -> None:
    with pytest.raises(InvalidRequest, match="PERENNIAL_BUCKET is not set"):
        Store.from_environment({})


def test_a_wrong_secret_is_said_at_once(
    store_environment: dict[str, str], problem_name: str
) -> None:
    other = Store.from_environment(store_environment | {"AWS_SECRET_ACCESS_KEY": "wrong" * 8})

    with pytest.raises(InvalidRequest, match="refused the credentials"):
        other.put(f"{problem_name}/a", b"")


@pytest.mark.slow
def test_a_store_that_is_away_is_tried_again(
    store_environment: dict[str, str], problem_name: str, tmp_path: Path
) -> None:
    other = Store.from_environment(
        store_environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}  # the discard port
    )
    (tmp_path / "file").write_bytes(b"content")

    with pytest.raises(TryAgain, match="did not answer"):
        other.put(f"{problem_name}/a", b"")
    with pytest.raises(TryAgain):
        other.put_file(f"{problem_name}/a", tmp_path / "file")


def test_an_absent_bucket_is_named(store_environment: dict[str, str]) -> None:
    other = Store.from_environment(store_environment | {"PERENNIAL_BUCKET": "nosuchbucket"})

    with pytest.raises(NotFound, match=r"There is no (bucket|object)"):
        other.get("a")


@pytest.mark.slow
def test_a_bucket_is_made_once(store_environment: dict[str, str], problem_name: str) -> None:
    other = Store.from_environment(store_environment | {"PERENNIAL_BUCKET": problem_name})

    other.create_bucket()
    other.put("a", b"kept")
    other.create_bucket()

    assert other.get("a") == b"kept"


def test_any_other_answer_is_tried_again(store: Store) -> None:
    failure = store._failure("a", "SlowDown", "busy")

    assert isinstance(failure, TryAgain)
    assert str(failure) == "The store answered SlowDown for 'a': busy"


def test_a_failed_upload_is_tried_again(store: Store) -> None:
    from boto3.exceptions import S3UploadFailedError

    def fail() -> None:
        raise S3UploadFailedError("gone")

    with pytest.raises(TryAgain, match="did not take"):
        store._request("a", fail)


def test_botocore_is_preloaded_without_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an interpreter that forks stages, which has no credentials."""
    for name in ("PERENNIAL_BUCKET", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)

    Store.preload_botocore()
