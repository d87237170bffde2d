"""What the model service and its callers agree on: routes, headers, and the fields of each body.

Bodies are typed dictionaries: the service builds an answer as one and a caller reads it as one, so
the type checker holds every field on both sides, at no cost in time. A caller reads by `get`: a
service of another release may lack a field.
"""

from typing import Any, Final, NotRequired, TypedDict

PREDICT: Final = "/v1/predict"
"""POST: one row in, one prediction out."""
PREDICT_BATCH: Final = "/v1/predict_batch"
"""POST: `BatchRequest` in, `BatchAnswer` out."""
FEEDBACK: Final = "/v1/feedback"
"""POST: one `FeedbackRequest` or a list of them in, `FeedbackAnswer` out."""
INFO: Final = "/info"
"""GET: `InfoAnswer`; no API key needed, as for all that follow."""
READY: Final = "/readyz"
"""GET: `ReadyAnswer`; 200 where requests may be sent, else 503."""
LIVE: Final = "/livez"
"""GET: 200 while the process runs."""
HEALTH: Final = "/healthz"
"""GET: as `LIVE`, by its older name."""
METRICS: Final = "/metrics"
"""GET: the counts of this process, in the text format of Prometheus."""
OPENAPI: Final = "/docs.json"
"""GET: the OpenAPI document, with the columns of the model that serves."""
DOCUMENTATION: Final = "/"
"""GET: a page for a person, which shows `OPENAPI`."""

PREDICTION_ROUTES: Final = (PREDICT, PREDICT_BATCH, FEEDBACK)
"""Those that need an API key, where the service has one."""

AUTHORIZATION: Final = "authorization"
BEARER: Final = "Bearer"
"""The scheme of `AUTHORIZATION`: `Bearer KEY`."""
CANARY: Final = "x-perennial-canary"
"""Any value: the request is a deployment's own. It is answered, and neither logged nor counted."""


def bearer(api_key: str) -> str:
    """Return the value of `AUTHORIZATION`.

    >>> bearer("secret")
    'Bearer secret'
    """
    return f"{BEARER} {api_key}"


class ScoreFields(TypedDict, total=False):
    """What the model answers for one row; which fields there are depends on the task."""

    score: float
    """Binary: P(positive class)."""
    scores: dict[str, float]
    """Multiclass: P of each class."""
    value: float
    """Regression: the estimate."""
    label: str | bool | int | float
    """Binary and multiclass: the decision, by the model's threshold."""


class PredictionAnswer(ScoreFields):
    """The answer of `PREDICT`."""

    request_id: str
    """UUIDv7; to be sent back with the true label."""
    model: str
    """The digest of the model that answered."""


class BatchRequest(TypedDict):
    """The body of `PREDICT_BATCH`."""

    rows: list[dict[str, Any]]
    """At most 10,000."""


class BatchAnswer(TypedDict):
    """The answer of `PREDICT_BATCH`."""

    request_id: str
    model: str
    predictions: list[ScoreFields]
    """In the order of the rows."""


class FeedbackRequest(TypedDict):
    """One label of `FEEDBACK`."""

    request_id: str
    label: str | bool | int | float
    """The true class, or the true value."""
    row: NotRequired[int]
    """The row's index in its batch; 0 where absent."""


class FeedbackAnswer(TypedDict):
    """The answer of `FEEDBACK`."""

    accepted: int
    """How many labels were taken."""


class LoadFailure(TypedDict):
    """Why a model that should serve does not."""

    digest: str | None
    why: str
    final: bool
    """False: the service tries again by itself."""


class ServiceCounts(TypedDict):
    """What a process has counted since it began."""

    requests: int
    rows: int
    feedback: int
    swaps: int
    failures: int


class DecisionInfo(TypedDict):
    """How the model's score becomes an answer."""

    target: str
    """What is predicted."""
    positive: str | bool | int | float | None
    """Binary: the class whose probability the score is."""
    threshold: float | None
    """Binary: from this score on the label is the positive class."""
    meaning: str
    """The same in one sentence."""


class InfoAnswer(TypedDict):
    """The answer of `INFO`."""

    problem: str
    ready: bool
    digest: str | None
    """The model that serves; None: none."""
    since: str | None
    """When it was taken into service, ISO 8601."""
    contract: dict[str, Any] | None
    """The model's contract, as in its bundle."""
    decision: DecisionInfo | None
    """What its answers mean; None: no model serves."""
    error: LoadFailure | None
    counts: ServiceCounts
    models: dict[str, dict[str, Any]]
    """By digest: a `contract.serving_state.Tally`."""


class ReadyAnswer(TypedDict):
    """The answer of `READY` with 200."""

    ready: bool
    digest: NotRequired[str]
    """The model that serves."""
    detail: NotRequired[str]
    """Why it is an older one than asked for."""


class ErrorAnswer(TypedDict):
    """The body of every answer that is not 200."""

    error: str
    """One sentence: what was found, what was expected, what to do."""
    fields: NotRequired[list[dict[str, Any]]]
    """422 only: each field that does not fit, as a `bundle.request.Complaint`."""
    request_id: NotRequired[str]
    """500 only: the log names the request by it."""
    ready: NotRequired[bool]
    """503 of `READY` only: false."""
