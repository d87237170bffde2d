"""The service starts only with settings that say what they mean."""

from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from serving.request_id import PATTERN, moment_of, request_id
from serving.settings import Settings, read_settings

GOOD = {
    "PERENNIAL_VERIFY_KEYS": "/keys",
    "PERENNIAL_API_KEY_SHA256": f"{'a' * 64}, {'b' * 64}",
    "PERENNIAL_HOME": "/home",
}


def read(**changes: str) -> Settings:
    return read_settings("flights", "127.0.0.1", 0, GOOD | changes)


def test_defaults_are_those_of_a_laptop() -> None:
    found = read()

    assert (found.source, found.drain_seconds, found.poll_seconds) == ("pointer", 1.0, 1.0)
    assert (found.connection_requests, found.connection_seconds) == (1_000, 30.0)
    assert found.key_digests == ("a" * 64, "b" * 64)
    assert found.predictions == Path("/home/services/flights/spool/predictions")


def test_a_service_without_a_key_must_be_asked_for() -> None:
    assert read(PERENNIAL_API_KEY_SHA256="", PERENNIAL_AUTH="none").key_digests == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"PERENNIAL_API_KEY_SHA256": ""}, "PERENNIAL_API_KEY_SHA256 is empty"),
        ({"PERENNIAL_API_KEY_SHA256": "my-key"}, "PERENNIAL_API_KEY_SHA256 holds something else"),
        ({"PERENNIAL_VERIFY_KEYS": ""}, "PERENNIAL_VERIFY_KEYS is not set"),
        ({"MODEL_SOURCE": "pinned"}, "MODEL_SOURCE is pinned and MODEL_DIGEST is not set"),
        ({"MODEL_SOURCE": "newest"}, "The service's setting source is 'newest'"),
        ({"MODEL_DIGEST": "abc"}, "The service's setting digest is 'abc'"),
        ({"DRAIN_SECONDS": "soon"}, "The service's setting drain_seconds is 'soon'"),
    ],
)
def test_a_bad_setting_is_one_sentence(changes: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRequest) as found:
        read(**changes)

    assert str(found.value).startswith(why)


def test_request_ids_sort_by_their_moment() -> None:
    names = [request_id(millisecond * 1_000_000) for millisecond in range(1000)]

    assert names == sorted(names)
    assert all(PATTERN.fullmatch(name) for name in names)
    assert len(set(names)) == 1000


def test_a_request_id_tells_its_millisecond() -> None:
    found = moment_of(request_id(1_700_000_000_123_456_789))

    assert found.isoformat() == "2023-11-14T22:13:20.123000+00:00"
