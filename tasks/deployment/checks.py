"""Is the model in service what was judged? Asked of the real service, through the real door.

Three questions, in this order: does it serve this digest and say that it is ready; does it answer
the bundle's golden rows as the bundle's own reader does; and how long does an answer take.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from bundle import Model
from bundle.request import complaints
from contract.errors import PerennialError, TryAgain
from contract.log import log
from contract.service_protocol import PREDICT
from contract.serving_state import ServiceAddress
from contract.store.client import Store
from contract.store.documents import DamagedDocument, read_document
from contract.store.layout import service_key
from contract.strict import Strict
from tasks.deployment.client import Client, Reply

POLL_SECONDS = 0.25
TOLERANCE = 1e-12  # relative above 1, absolute below: as for the golden rows themselves
WARMING = 20  # requests before the clock counts
REQUESTS = 200
ROUNDS = 3
PERCENTILE = 0.99

# A Service's rules follow a rollout within a second or two, and the last old pod answers till then.
FOLLOW_SECONDS = 10.0

Value = bool | int | float | str | None
T = TypeVar("T")

_log = log("deployment")


class Failed(PerennialError):
    """The model is in service and should not be: the way back is taken."""


class AnotherModel(Failed):
    """The answer came from a model that should serve no longer."""


class Canary(Strict):
    """What the golden rows showed."""

    rows: int
    """Golden rows that a caller could send, and that were answered alike."""
    skipped: int
    """Golden rows that no caller could send: they try the reader, not the service."""
    largest_difference: float
    """Between the service's numbers and the reader's."""


def wait_until_served(store: Store, problem: str, digest: str, api_key: str, seconds: float) -> str:
    """Return the service's URL once it serves `digest` and is ready.

    Raises:
        Failed: it refused the model, or nothing serves it within `seconds`.
    """
    deadline = time.monotonic() + seconds
    said = f"no service has announced itself at {service_key(problem)}"
    while True:
        url = _address(store, problem)
        if url is not None:
            with Client(url, api_key, seconds=2.0) as client:
                found = client.serves()
            said = f"the service at {url} does not answer"
            if found is not None:
                fault: Mapping[str, object] = found.get("error") or {}
                if fault.get("digest") == digest and fault.get("final"):
                    raise Failed(f"The service refused the model: {fault.get('why')}")
                if found.get("digest") == digest and found.get("ready"):
                    return url
                served = found.get("digest")
                said = f"the service at {url} serves {served[:12] if served else 'no model'}"
                said += f" ({fault['why']})" if fault.get("why") else ""
        if time.monotonic() > deadline:
            raise Failed(f"After {seconds:g} s {said}, expected {digest[:12]}; see its log.")
        time.sleep(POLL_SECONDS)


def ask_service(url: str, api_key: str, model: Model, question: Callable[[Client], T]) -> T:
    """Return what `question` finds; ask anew while the door still leads to an older model.

    Raises:
        Failed: the answers are not what is expected, or another model gives them for too long.
    """
    deadline = time.monotonic() + FOLLOW_SECONDS
    while True:
        try:
            with Client(url, api_key) as client:
                told = client.serves()
                if told is not None:
                    # A row may be none to an older model, and its refusal names no model.
                    _check_model(told.get("digest"), model)
                return question(client)
        except AnotherModel as error:
            if time.monotonic() > deadline:
                raise
            _log.info("asking again", why=str(error))
        time.sleep(POLL_SECONDS)


def send_canaries(
    client: Client, model: Model, asked: Sequence[Mapping[str, Value]] | None = None
) -> Canary:
    """Compare the service's answers to golden rows, or to those `asked`, with the reader's.

    Raises:
        Failed: one differs, one is refused, or there is none to send.
        AnotherModel: one was answered by a model that should serve no longer.
    """
    largest, answered = 0.0, 0
    rows = asked if asked is not None else [golden.row for golden in model.golden.rows]
    sendable = [row for row in rows if not complaints(model.contract, row)]
    for place, row in enumerate(sendable):
        reply = _ask(client, row)
        if reply.status != HTTPStatus.OK:
            raise Failed(
                f"Canary row {place} was answered {reply.status} "
                f"({reply.body.get('error', 'no reason')}), expected 200."
            )
        _check_model(reply.body.get("model"), model)
        found, expected = _numbers(reply, model), _expected(model, row)
        difference = _difference(found, expected)
        if not difference <= TOLERANCE:
            raise Failed(
                f"Canary row {place} was answered {found}, and the bundle's reader says "
                f"{expected}: they differ by {difference:g}, at most {TOLERANCE:g} is expected."
            )
        largest, answered = max(largest, difference), answered + 1
    if not answered:
        raise Failed("No golden row of the bundle is a valid request, so nothing was compared.")
    skipped = len(rows) - answered
    return Canary(rows=answered, skipped=skipped, largest_difference=largest)


def measure(client: Client, model: Model) -> float:
    """Return the 99th percentile of the seconds that an answer takes, over golden rows.

    The least of three rounds of 200 requests: on a shared machine a neighbour only adds.

    Raises:
        Failed: a request is not answered.
        AnotherModel: one was answered by a model that should serve no longer.
    """
    rows = [golden.row for golden in model.golden.rows]
    rows = [row for row in rows if not complaints(model.contract, row)]
    for place in range(WARMING):
        _ask(client, rows[place % len(rows)])
    return min(_round(client, model, rows) for _ in range(ROUNDS))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _round(client: Client, model: Model, rows: Sequence[object]) -> float:
    replies = [_ask(client, rows[place % len(rows)]) for place in range(REQUESTS)]
    bad = [reply.status for reply in replies if reply.status != HTTPStatus.OK]
    if bad:
        raise Failed(f"{len(bad)} of {REQUESTS} requests were answered {bad[0]}, expected 200.")
    for reply in replies:
        _check_model(reply.body.get("model"), model)
    return percentile([reply.seconds for reply in replies], PERCENTILE)


def _check_model(digest: str | None, model: Model) -> None:
    if digest != model.digest:
        found = f"the model {digest[:12]}" if digest else "no model"
        raise AnotherModel(
            f"The service answered with {found}, expected {model.digest[:12]}; who moved it?"
        )


def _ask(client: Client, row: object) -> Reply:
    try:
        return client.ask("POST", PREDICT, row)
    except OSError as error:
        raise Failed(f"The service stopped answering: {error}.") from error


def _address(store: Store, problem: str) -> str | None:
    try:
        address = read_document(store, service_key(problem), ServiceAddress)
    except DamagedDocument as error:
        _log.warning("not an address", why=str(error))
        return None
    except TryAgain as error:
        _log.warning("waiting for the store", why=str(error))
        return None
    return None if address is None else address.url


def _numbers(reply: Reply, model: Model) -> list[float]:
    """Return the numbers of an answer in the reader's order; missing ones are NaN."""
    body: dict[str, Any] = reply.body
    if model.contract.task == "multiclass":
        scores = body.get("scores")
        found = list(scores.values()) if isinstance(scores, dict) else []
    else:
        found = [body.get("value" if model.contract.task == "regression" else "score")]
    return [float(value) if isinstance(value, int | float) else math.nan for value in found]


def _expected(model: Model, row: Mapping[str, Value]) -> list[float]:
    score = model.one(row)
    return score if isinstance(score, list) else [score]


def _difference(found: Sequence[float], expected: Sequence[float]) -> float:
    """Return the largest difference, relative above 1; NaN where something is missing."""
    if len(found) != len(expected):
        return math.nan
    differences = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(found, expected, strict=True)]
    return math.nan if any(map(math.isnan, differences)) else max(differences)
