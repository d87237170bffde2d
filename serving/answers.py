"""What the service answers: from the bytes of a body to the bytes of an answer, without any HTTP.

The fast path and the BentoML APIs both end here, so they cannot drift apart. What is logged of a
request is its answer's `entry`; no value of a row reaches the process's own log.
"""

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from bundle.prediction_rows import canonical_text
from contract import prediction_log, service_protocol
from contract.log import log
from contract.service_protocol import (
    BatchAnswer,
    FeedbackAnswer,
    InfoAnswer,
    PredictionAnswer,
    ReadyAnswer,
)
from serving.request_id import PATTERN, request_id
from serving.rows import SHOWN_COMPLAINTS, InvalidRows, NotJson, Row
from serving.served_model import PredictionEntry
from serving.service_state import ServiceState
from serving.shipping import encode_header
from serving.spool import SpoolEntry

MAX_LABELS = 10_000

_log = log("serving")
_SCHEME = service_protocol.BEARER.lower().encode()
_FEEDBACK_HEADER = encode_header(prediction_log.FEEDBACK_COLUMNS)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body and what is to be logged of it."""

    status: int
    body: bytes
    entry: SpoolEntry | None = None


class FeedbackLabel(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The true label of one predicted row: `contract.service_protocol.FeedbackRequest`, decoded."""

    request_id: str
    label: str | bool | int | float
    row: int = 0


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """What one feedback request leaves in the feedback log."""

    received_at: int
    """Microseconds since 1970."""
    labels: Sequence[FeedbackLabel]

    @property
    def header(self) -> bytes:
        """The columns of the rows, which never change."""
        return _FEEDBACK_HEADER

    @property
    def rows(self) -> int:
        """How many labels there are."""
        return len(self.labels)

    def lines(self) -> Iterator[bytes]:
        """Yield each label as JSON."""
        for label in self.labels:
            line = {
                prediction_log.REQUEST_ID: label.request_id,
                prediction_log.ROW: label.row,
                prediction_log.RECEIVED_AT: self.received_at,
                prediction_log.LABEL: canonical_text(label.label),
            }
            yield msgspec.json.encode(line)


_LABELS = msgspec.json.Decoder(FeedbackLabel | list[FeedbackLabel])


def failure(status: HTTPStatus, sentence: str, **further: object) -> Answer:
    """Return an error: a `contract.service_protocol.ErrorAnswer`."""
    return Answer(status, msgspec.json.encode({"error": sentence, **further}))


def predict(state: ServiceState, body: bytes) -> Answer:
    """Answer one row with one prediction."""
    return _predict(state, body, batch=False)


def predict_batch(state: ServiceState, body: bytes) -> Answer:
    """Answer `{"rows": […]}` with a prediction for each row, in their order."""
    return _predict(state, body, batch=True)


def feedback(state: ServiceState, body: bytes) -> Answer:
    """Take one label or a list of them."""
    try:
        decoded = _LABELS.decode(body)
    except msgspec.ValidationError as error:
        return failure(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The feedback does not fit: {error}; expected request_id, label and, for a row of a "
            "batch, row.",
        )
    except msgspec.DecodeError as error:
        return _not_json(error)
    labels = decoded if isinstance(decoded, list) else [decoded]
    if len(labels) > MAX_LABELS:
        return failure(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Found {len(labels):,} labels, expected at most {MAX_LABELS:,}; send several lists.",
        )
    for index, label in enumerate(labels):
        if PATTERN.fullmatch(label.request_id) is None or not 0 <= label.row < MAX_LABELS:
            return failure(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"Label {index}: request_id {label.request_id[:60]!r} and row {label.row} are not "
                f"of a prediction; send back the request_id that {service_protocol.PREDICT} gave.",
            )
    state.counters.feedback += len(labels)
    entry = FeedbackEntry(time.time_ns() // 1000, labels)
    accepted = FeedbackAnswer(accepted=len(labels))
    return Answer(HTTPStatus.OK, msgspec.json.encode(accepted), entry)


def info(state: ServiceState) -> Answer:
    """Answer which model serves, since when, what failed, and what was counted."""
    served, counters = state.served, state.counters
    document = InfoAnswer(
        problem=state.problem,
        ready=state.not_ready_reason() is None,
        digest=served.digest if served else None,
        since=msgspec.to_builtins(state.since),
        contract=served.model.contract.model_dump(mode="json") if served else None,
        decision=served.decision if served else None,
        error=state.load_failure,
        counts={
            "requests": counters.requests.total(),
            "rows": counters.rows,
            "feedback": counters.feedback,
            "swaps": counters.swaps,
            "failures": counters.failures,
        },
        models={
            digest: tally.model_dump(mode="json")
            for digest, tally in counters.tallies.by_digest().items()
        },
    )
    return Answer(HTTPStatus.OK, msgspec.json.encode(document))


def ready(state: ServiceState) -> Answer:
    """Answer 200 where requests may be sent, else 503 with one sentence."""
    reason = state.not_ready_reason()
    if reason is not None:
        return failure(HTTPStatus.SERVICE_UNAVAILABLE, reason, ready=False)
    document = ReadyAnswer(ready=True)
    if state.served is not None:
        document["digest"] = state.served.digest
    if state.load_failure is not None:
        document["detail"] = f"an older model serves: {state.load_failure['why']}"
    return Answer(HTTPStatus.OK, msgspec.json.encode(document))


def is_allowed(key_digests: Sequence[str], authorization: bytes | None) -> bool:
    """Tell whether the header holds an API key whose sha256 is known; no digests let all in."""
    if not key_digests:
        return True
    scheme, _, key = (authorization or b"").partition(b" ")
    if scheme.lower() != _SCHEME:
        return False
    key_digest = hashlib.sha256(key.strip()).hexdigest()
    return any(hmac.compare_digest(key_digest, digest) for digest in key_digests)


def _predict(state: ServiceState, body: bytes, *, batch: bool) -> Answer:
    served = state.served
    if served is None:
        return failure(HTTPStatus.SERVICE_UNAVAILABLE, state.not_ready_reason() or "")
    rows: list[Row]
    try:
        rows = served.decoder.batch(body) if batch else [served.decoder.one(body)]
    except NotJson as error:
        return _not_json(error)
    except InvalidRows as error:
        return _invalid(error)
    nanoseconds = time.time_ns()
    name = request_id(nanoseconds)
    try:
        scores = served.scores(rows)
    except Exception as error:  # noqa: BLE001 - one bad row must not end the process
        # Without its text: that may hold a value of the row.
        _log.error("prediction failed", request_id=name, why=type(error).__name__)
        sentence = "The model failed on this input; the log names the request."
        return failure(HTTPStatus.INTERNAL_SERVER_ERROR, sentence, request_id=name)
    answer: PredictionAnswer | BatchAnswer
    if batch:
        predictions = [served.prediction(score) for score in scores]
        answer = {"request_id": name, "model": served.digest, "predictions": predictions}
    else:
        answer = {"request_id": name, "model": served.digest, **served.prediction(scores[0])}
    state.counters.rows += len(rows)
    entry = PredictionEntry(served, name, nanoseconds // 1000, rows, scores)
    return Answer(HTTPStatus.OK, msgspec.json.encode(answer), entry)


def _not_json(error: Exception) -> Answer:
    return failure(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}; send a JSON object.")


def _invalid(error: InvalidRows) -> Answer:
    shown = error.complaints[:SHOWN_COMPLAINTS]
    more = "" if len(shown) == len(error.complaints) else "; and more"
    return failure(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"The input does not fit the contract: {shown[0].sentence}{more}.",
        fields=[complaint.model_dump(mode="json", exclude_none=True) for complaint in shown],
    )
