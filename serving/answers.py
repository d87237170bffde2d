"""What the service answers: from the bytes of a body to the bytes of an answer, without any HTTP.

The fast lane and the BentoML APIs both end here, so they cannot drift apart. What is logged of a
request is its answer's `entry`; nothing of a row reaches the process's own log.
"""

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from contract.log import log
from serving.request_id import PATTERN, request_id
from serving.rows import SHOWN_COMPLAINTS, Invalid, NotJson, Row
from serving.served import Answered, text
from serving.shipping import Header
from serving.spool import SpoolEntry
from serving.standing import Standing

MOST_LABELS = 10_000

_log = log("serving")
_FEEDBACK_HEADER = msgspec.json.encode(
    Header(
        columns=(
            ("request_id", "string"),
            ("row", "integer"),
            ("received_at", "moment"),
            ("label", "string"),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body and what is to be written down of it."""

    status: int
    body: bytes
    entry: SpoolEntry | None = None


class Feedback(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What turned out true of one predicted row."""

    request_id: str
    label: str | bool | int | float
    row: int = 0


@dataclass(frozen=True, slots=True)
class Labels:
    """What one feedback request leaves in the feedback log."""

    received_at: int
    """Microseconds since 1970."""
    labels: Sequence[Feedback]

    @property
    def header(self) -> bytes:
        """The columns of the rows, the same for ever."""
        return _FEEDBACK_HEADER

    @property
    def rows(self) -> int:
        """How many labels there are."""
        return len(self.labels)

    def lines(self) -> Iterator[bytes]:
        """Yield each label as JSON."""
        for label in self.labels:
            line = {
                "request_id": label.request_id,
                "row": label.row,
                "received_at": self.received_at,
                "label": text(label.label),
            }
            yield msgspec.json.encode(line)


_ONE_OR_SEVERAL = msgspec.json.Decoder(Feedback | list[Feedback])


def failure(status: HTTPStatus, sentence: str, **further: object) -> Answer:
    """Return an error: `{"error": sentence, …}`."""
    return Answer(status, msgspec.json.encode({"error": sentence, **further}))


def predict(standing: Standing, body: bytes) -> Answer:
    """Answer one row with one prediction."""
    return _predict(standing, body, batch=False)


def predict_batch(standing: Standing, body: bytes) -> Answer:
    """Answer `{"rows": […]}` with a prediction for each row, in their order."""
    return _predict(standing, body, batch=True)


def feedback(standing: Standing, body: bytes) -> Answer:
    """Take one label or a list of them."""
    try:
        found = _ONE_OR_SEVERAL.decode(body)
    except msgspec.ValidationError as error:
        return failure(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The feedback does not fit: {error}; expected request_id, label and, for a row of a "
            "batch, row.",
        )
    except msgspec.DecodeError as error:
        return _not_json(error)
    labels = found if isinstance(found, list) else [found]
    if len(labels) > MOST_LABELS:
        return failure(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"Found {len(labels):,} labels, expected at most {MOST_LABELS:,}; send several lists.",
        )
    for place, label in enumerate(labels):
        if PATTERN.fullmatch(label.request_id) is None or not 0 <= label.row < MOST_LABELS:
            return failure(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"Label {place}: request_id {label.request_id[:60]!r} and row {label.row} are not "
                "of a prediction; send back the request_id that /v1/predict gave.",
            )
    standing.counters.feedback += len(labels)
    entry = Labels(time.time_ns() // 1000, labels)
    return Answer(HTTPStatus.OK, msgspec.json.encode({"accepted": len(labels)}), entry)


def info(standing: Standing) -> Answer:
    """Tell what serves, since when, what is wrong, and what was counted."""
    served, counters = standing.served, standing.counters
    told = {
        "problem": standing.problem,
        "ready": standing.unready() is None,
        "digest": served.digest if served else None,
        "since": standing.since,
        "contract": served.model.contract.model_dump(mode="json") if served else None,
        "error": standing.fault.model_dump(mode="json") if standing.fault else None,
        "counts": {
            "requests": counters.requests.total(),
            "rows": counters.rows,
            "feedback": counters.feedback,
            "swaps": counters.swaps,
            "failures": counters.failures,
        },
        "models": {
            digest: tally.model_dump(mode="json")
            for digest, tally in counters.tallies.told().items()
        },
    }
    return Answer(HTTPStatus.OK, msgspec.json.encode(told))


def ready(standing: Standing) -> Answer:
    """Answer 200 where requests may come, else 503 with one sentence."""
    why = standing.unready()
    if why is not None:
        return failure(HTTPStatus.SERVICE_UNAVAILABLE, why, ready=False)
    told: dict[str, object] = {"ready": True}
    if standing.served is not None:
        told["digest"] = standing.served.digest
    if standing.fault is not None:
        told["detail"] = f"an older model serves: {standing.fault.why}"
    return Answer(HTTPStatus.OK, msgspec.json.encode(told))


def is_allowed(key_digests: Sequence[str], authorization: bytes | None) -> bool:
    """Tell whether the header holds an API key whose sha256 is known; no digests let all in."""
    if not key_digests:
        return True
    scheme, _, key = (authorization or b"").partition(b" ")
    if scheme.lower() != b"bearer":
        return False
    found = hashlib.sha256(key.strip()).hexdigest()
    return any(hmac.compare_digest(found, digest) for digest in key_digests)


def _predict(standing: Standing, body: bytes, *, batch: bool) -> Answer:
    served = standing.served
    if served is None:
        return failure(HTTPStatus.SERVICE_UNAVAILABLE, standing.unready() or "")
    rows: list[Row]
    try:
        rows = served.rows.batch(body) if batch else [served.rows.one(body)]
    except NotJson as error:
        return _not_json(error)
    except Invalid as error:
        return _invalid(error)
    moment = time.time_ns()
    name = request_id(moment)
    try:
        scores = served.scores(rows)
    except Exception as error:  # noqa: BLE001 - one bad row must not end the process
        # Without its text: that may hold a value of the row.
        _log.error("prediction failed", request_id=name, why=type(error).__name__)
        sentence = "The model failed on this input; the log names the request."
        return failure(HTTPStatus.INTERNAL_SERVER_ERROR, sentence, request_id=name)
    told: dict[str, object] = {"request_id": name, "model": served.digest}
    if batch:
        told["predictions"] = [served.spoken(score) for score in scores]
    else:
        told |= served.spoken(scores[0])
    standing.counters.rows += len(rows)
    entry = Answered(served, name, moment // 1000, rows, scores)
    return Answer(HTTPStatus.OK, msgspec.json.encode(told), entry)


def _not_json(error: Exception) -> Answer:
    return failure(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}; send a JSON object.")


def _invalid(error: Invalid) -> Answer:
    shown = error.complaints[:SHOWN_COMPLAINTS]
    more = "" if len(shown) == len(error.complaints) else "; and more"
    return failure(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"The input does not fit the contract: {shown[0].sentence}{more}.",
        fields=[complaint.model_dump(mode="json", exclude_none=True) for complaint in shown],
    )
