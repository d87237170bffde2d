"""What callers are told: predictions, and every way in which a request can be wrong."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from bundle_factory import GOLDEN, ROW, Keys, Made
from service_process import Service

import bundle
from bundle import signing
from contract.service_protocol import FEEDBACK, PREDICT, PREDICT_BATCH
from serving.request_id import PATTERN, moment_of

pytestmark = pytest.mark.slow  # the service takes seconds to start

KNOWN = {name: value for name, value in ROW.items() if name not in {"customer", "signed_at"}}


@pytest.fixture(scope="module")
def model(shared_bundle: Made, keys: Keys) -> bundle.Model:
    return bundle.load(shared_bundle.folder, keys=signing.public_keys(keys.folder))


def test_a_row_gets_the_readers_own_score(shared_service: Service, model: bundle.Model) -> None:
    answer = shared_service.ask("POST", PREDICT, ROW)

    assert answer.status == 200
    assert answer.json["score"] == model.one(KNOWN)
    assert answer.json["label"] == model.decide(model.one(KNOWN))
    assert answer.json["model"] == model.digest


def test_a_request_id_is_a_uuid_of_the_moment(shared_service: Service) -> None:
    name = shared_service.ask("POST", PREDICT, ROW).json["request_id"]

    assert PATTERN.fullmatch(name)
    assert abs(moment_of(name) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_batch_gets_the_same_scores_as_its_rows(shared_service: Service) -> None:
    rows = GOLDEN[:3] * 50
    answer = shared_service.ask("POST", PREDICT_BATCH, {"rows": rows})
    alone = [shared_service.ask("POST", PREDICT, row).json["score"] for row in GOLDEN[:3]]

    assert [found["score"] for found in answer.json["predictions"]] == alone * 50


def test_an_empty_batch_gets_no_predictions(shared_service: Service) -> None:
    answer = shared_service.ask("POST", PREDICT_BATCH, {"rows": []})

    assert (answer.status, answer.json["predictions"]) == (200, [])


@pytest.mark.parametrize(
    ("row", "field", "found", "expected"),
    [
        ({}, "age", "no such field", "a number of at least 0 and at most 120"),
        ({"age": None}, "age", "null", "a number of at least 0 and at most 120"),
        ({"age": "41"}, "age", "the string '41'", "a number of at least 0 and at most 120"),
        ({"age": True}, "age", "true", "a number of at least 0 and at most 120"),
        ({"age": 121}, "age", "the number 121", "a number of at least 0 and at most 120"),
        ({"age": 1, "incme": 2}, "incme", "an unknown field", "'income'; did you mean that"),
        ({"age": 1, "income": "much"}, "income", "the string 'much'", "a number in EUR, or null"),
        (
            {"age": 1, "city": ["Oslo"]},
            "city",
            "an array",
            "a string, a number, or true or false, or null",
        ),
        (
            {"age": 1, "joined": 5},
            "joined",
            "the number 5",
            "an ISO 8601 date or time as a string, or null",
        ),
        (
            {"age": 1, "customer": {}},
            "customer",
            "an object",
            "a string, a number, or true or false, or null",
        ),
        ([], "$", "an array", "an object of fields"),
    ],
)
def test_a_wrong_field_is_named(
    shared_service: Service, row: object, field: str, found: str, expected: str
) -> None:
    answer = shared_service.ask("POST", PREDICT, row)

    assert answer.status == 422
    assert answer.json["fields"] == [{"field": field, "found": found, "expected": expected}]
    assert repr(field) in answer.json["error"]


def test_every_wrong_field_of_a_batch_is_named_with_its_row(shared_service: Service) -> None:
    rows = [{"age": 1}, {"agee": 1}, {"age": 1, "income": "x"}]
    answer = shared_service.ask("POST", PREDICT_BATCH, {"rows": rows})

    assert answer.status == 422
    places = [(fault["row"], fault["field"]) for fault in answer.json["fields"]]
    assert places == [(1, "age"), (1, "agee"), (2, "income")]


def test_a_batch_of_too_many_rows_is_refused(shared_service: Service) -> None:
    answer = shared_service.ask("POST", PREDICT_BATCH, {"rows": [{"age": 1}] * 10_001})

    assert answer.status == 422
    assert answer.json["fields"][0]["found"] == "10,001 rows"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"age": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_400(shared_service: Service, body: bytes) -> None:
    answer = shared_service.ask("POST", PREDICT, body)

    assert answer.status == 400
    assert answer.json["error"].startswith("The body is not JSON")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic an-api-key-of-the-tests"},
        {"authorization": "Bearer"},
    ],
)
@pytest.mark.parametrize("path", [PREDICT, PREDICT_BATCH, FEEDBACK])
def test_a_request_without_the_key_is_401(
    shared_service: Service, headers: dict[str, str], path: str
) -> None:
    answer = shared_service.ask("POST", path, ROW, headers)

    assert answer.status == 401
    assert "API key" in answer.json["error"]


def test_an_unknown_path_is_404_and_names_those_there_are(shared_service: Service) -> None:
    answer = shared_service.ask("GET", "/v1/prediction")

    assert answer.status == 404
    assert PREDICT in answer.json["error"]


def test_a_wrong_method_is_405(shared_service: Service) -> None:
    answer = shared_service.ask("GET", PREDICT)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_body_that_says_it_is_too_large_is_413(shared_service: Service) -> None:
    answer = shared_service.ask("POST", PREDICT, b" " * (3 << 20))

    assert answer.status == 413


def test_a_large_body_without_the_key_is_401(shared_service: Service) -> None:
    answer = shared_service.ask("POST", PREDICT_BATCH, b" " * (8 << 20), {})

    assert answer.status == 401


def test_a_body_that_grows_too_large_is_413(shared_service: Service) -> None:
    host, _, port = shared_service.address.partition(":")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    head = (
        "POST /v1/predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        f"authorization: {shared_service.headers['authorization']}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(head.encode())
        try:
            for _ in range(64):
                connection.sendall(chunk)
        except OSError:
            pass  # it has closed already
        answer = connection.recv(100)

    assert answer.startswith(b"HTTP/1.1 413")


def test_a_batch_may_be_larger_than_a_row(shared_service: Service) -> None:
    rows = [{"age": 1, "city": "x" * 400}] * 5_000
    answer = shared_service.ask("POST", PREDICT_BATCH, {"rows": rows})

    assert (answer.status, len(answer.json["predictions"])) == (200, 5_000)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"request_id": "018bcfe5-6800-7000-8000-000000000000", "label": "yes"}, 200),
        ([{"request_id": "018bcfe5-6800-7000-8000-000000000000", "row": 7, "label": 1.5}], 200),
        ([], 200),
        ({"label": "yes"}, 422),
        ({"request_id": "018bcfe5-6800-7000-8000-000000000000"}, 422),
        ({"request_id": "018bcfe5-6800-7000-8000-000000000000", "label": None}, 422),
        ({"request_id": "mine", "label": "yes"}, 422),
        ({"request_id": "018bcfe5-6800-7000-8000-000000000000", "row": -1, "label": 1}, 422),
        (b"{", 400),
    ],
)
def test_feedback_is_taken_or_says_why_not(
    shared_service: Service, body: object, status: int
) -> None:
    answer = shared_service.ask("POST", FEEDBACK, body)

    assert answer.status == status
    assert "accepted" in answer.json if status == 200 else answer.json["error"]


def test_values_of_rows_stay_out_of_the_log(shared_service: Service) -> None:
    secret = "a-name-that-nobody-may-read"
    shared_service.ask("POST", PREDICT, {"age": secret})
    shared_service.ask("POST", PREDICT, {"age": 1, "city": secret})
    shared_service.ask("POST", PREDICT, f'{{"age": "{secret}'.encode())

    assert secret not in shared_service.log.read_text()
    assert "Traceback" not in shared_service.log.read_text()
