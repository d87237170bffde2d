"""Is the model in service the one that was judged? Checked at its public endpoint.

Once /info names the digest: does it answer the bundle's golden rows as the bundle's own reader does.
How long an answer takes is measured in `latency.py`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from bundle import Model
from bundle.request import complaints
from contract.formatting import format_digest
from contract.log import log
from contract.rollout.target import RolloutFailed
from contract.service_protocol import PREDICT
from contract.strict import Strict
from tasks.deployment.client import Client, Reply

POLL_SECONDS = 0.25
TOLERANCE = 1e-12  # relative above 1, absolute below: as for the golden rows themselves

Value = bool | int | float | str | None
T = TypeVar("T")

_log = log("deployment")


class AnotherModel(RolloutFailed):
    """The answer came from a model that should serve no longer."""


class GoldenRowCheck(Strict):
    """What the golden rows showed."""

    rows: int
    """Golden rows that a caller could send, and that were answered alike."""
    skipped: int
    """Golden rows that no caller could send: they try the reader, not the service."""
    largest_difference: float
    """Between the service's numbers and the reader's."""


def ask_service(
    url: str,
    api_key: str,
    model: Model,
    question: Callable[[Client], T],
    *,
    follow_seconds: float,
) -> T:
    """Return what `question` returns; repeat it while the URL still leads to an older model.

    `follow_seconds` is how long it may do so.

    Raises:
        RolloutFailed: the answers are not what is expected, or another model gives them for too long.
    """
    deadline = time.monotonic() + follow_seconds
    while True:
        try:
            with Client(url, api_key) as client:
                info = client.info()
                if info is not None:
                    # A row may be none to an older model, and its refusal names no model.
                    check_served_model(info.get("digest"), model)
                return question(client)
        except AnotherModel as error:
            if time.monotonic() > deadline:
                raise
            _log.info("repeating the requests", why=str(error))
        time.sleep(POLL_SECONDS)


def send_golden_rows(
    client: Client, model: Model, rows: Sequence[Mapping[str, Value]] | None = None
) -> GoldenRowCheck:
    """Compare the service's answers to the golden rows, or to other `rows`, with the reader's.

    Raises:
        RolloutFailed: one differs, one is refused, or there is none to send.
        AnotherModel: one was answered by a model that should serve no longer.
    """
    largest, answered = 0.0, 0
    if rows is None:
        rows = [golden.row for golden in model.golden.rows]
    sendable = [row for row in rows if not complaints(model.contract, row)]
    for index, row in enumerate(sendable):
        reply = _predict(client, row)
        if reply.status != HTTPStatus.OK:
            raise RolloutFailed(
                f"Canary row {index} was answered {reply.status} "
                f"({reply.body.get('error', 'no reason')}), expected 200."
            )
        check_served_model(reply.body.get("model"), model)
        values, expected = _numbers(reply, model), _expected(model, row)
        difference = _difference(values, expected)
        if not difference <= TOLERANCE:
            raise RolloutFailed(
                f"Canary row {index} was answered {values}, and the bundle's reader gives "
                f"{expected}: they differ by {difference:g}, at most {TOLERANCE:g} is expected."
            )
        largest, answered = max(largest, difference), answered + 1
    if not answered:
        raise RolloutFailed(
            "No golden row of the bundle is a valid request, so nothing was compared."
        )
    skipped = len(rows) - answered
    return GoldenRowCheck(rows=answered, skipped=skipped, largest_difference=largest)


def check_served_model(digest: str | None, model: Model) -> None:
    """Go on only if the model that answered is the one that is deployed.

    Raises:
        AnotherModel: it is not.
    """
    if digest != model.digest:
        served = f"the model {format_digest(digest)}" if digest else "no model"
        raise AnotherModel(
            f"The service answered with {served}, expected {format_digest(model.digest)}; who moved it?"
        )


def _predict(client: Client, row: object) -> Reply:
    try:
        return client.request("POST", PREDICT, row)
    except OSError as error:
        raise RolloutFailed(f"The service stopped answering: {error}.") from error


def _numbers(reply: Reply, model: Model) -> list[float]:
    """Return the numbers of an answer in the reader's order; missing ones are NaN."""
    body: dict[str, Any] = reply.body
    if model.contract.task == "multiclass":
        scores = body.get("scores")
        values = list(scores.values()) if isinstance(scores, dict) else []
    else:
        values = [body.get("value" if model.contract.task == "regression" else "score")]
    return [float(value) if isinstance(value, int | float) else math.nan for value in values]


def _expected(model: Model, row: Mapping[str, Value]) -> list[float]:
    score = model.one(row)
    return score if isinstance(score, list) else [score]


def _difference(values: Sequence[float], expected: Sequence[float]) -> float:
    """Return the largest difference, relative above 1; NaN where something is missing."""
    if len(values) != len(expected):
        return math.nan
    differences = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(values, expected, strict=True)]
    return math.nan if any(map(math.isnan, differences)) else max(differences)
