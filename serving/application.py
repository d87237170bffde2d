"""The BentoML service: the same routes as ordinary BentoML APIs, its probes, metrics and OpenAPI.

Behind the fast path these APIs are not called; they document the routes, and without the fast path
they answer the same, only slower. The models here describe the bodies of
`contract.service_protocol` in the OpenAPI document.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

import bentoml
import msgspec
from bentoml import Context
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from contract import service_protocol as protocol
from serving import answers
from serving.answers import Answer, failure
from serving.rows import MAX_ROWS
from serving.service_state import ServiceState
from serving.settings import Settings
from serving.spool import Spool

Scalar = str | bool | int | float | None
Row = dict[str, Scalar]
Output = TypeVar("Output")


class Batch(BaseModel):
    """Several rows, answered in their order."""

    model_config = ConfigDict(extra="allow")  # the contract's own check names what is unknown

    rows: Annotated[list[Row], Field(max_length=MAX_ROWS)]


class Label(BaseModel):
    """The true label of a predicted row."""

    model_config = ConfigDict(extra="allow")  # as in Batch

    request_id: str = Field(description="As /v1/predict gave it.")
    row: int = Field(default=0, description="The row's index in the batch, from 0.")
    label: str | bool | int | float = Field(description="The class, or the value.")


class PredictionFields(BaseModel):
    """What the model answers for one row."""

    score: float | None = Field(default=None, description="Binary: P(positive).")
    scores: dict[str, float] | None = Field(default=None, description="Multiclass: P of each.")
    value: float | None = Field(default=None, description="Regression: the estimate.")
    label: Scalar = Field(default=None, description="The decision, by the model's threshold.")


class Prediction(PredictionFields):
    """One row's answer."""

    request_id: str = Field(description="UUIDv7; send it back with the true label.")
    model: str = Field(description="The digest of the model that answered.")


class Predictions(BaseModel):
    """A batch's answers, in the order of its rows."""

    request_id: str
    model: str
    predictions: list[PredictionFields]


class Accepted(BaseModel):
    """How many labels were taken."""

    accepted: int


def build(
    settings: Settings,
    state: ServiceState,
    predictions: Spool,
    labels: Spool,
    metrics: Callable[[], str],
) -> "bentoml.Service[Any]":
    """Return the service of one problem around the state of this process.

    `metrics` gives the text that follows BentoML's own.
    """
    adapter = _Adapter(settings, state)

    @bentoml.service(name=settings.problem, workers=1)
    class ModelService:
        """Predictions of the model that serves; `/info` has its contract."""

        @bentoml.api(route=protocol.PREDICT)  # type: ignore[untyped-decorator] # BentoML ships no types
        async def predict(self, row: Row, /, context: Context) -> Prediction:
            """Predict one row."""
            return adapter.handle(Prediction, answers.predict, row, predictions, context)

        @bentoml.api(route=protocol.PREDICT_BATCH)  # type: ignore[untyped-decorator] # BentoML ships no types
        async def predict_batch(self, batch: Batch, /, context: Context) -> Predictions:
            """Predict up to 10,000 rows."""
            return adapter.handle(
                Predictions, answers.predict_batch, batch.model_dump(), predictions, context
            )

        @bentoml.api(route=protocol.FEEDBACK)  # type: ignore[untyped-decorator] # BentoML ships no types
        async def feedback(self, label: Label, /, context: Context) -> Accepted:
            """Take the true label of one row, or a list of labels."""
            return adapter.handle(Accepted, answers.feedback, label.model_dump(), labels, context)

        @bentoml.api(route=protocol.INFO)  # type: ignore[untyped-decorator] # BentoML ships no types
        async def info(self) -> dict[str, JsonValue]:
            """Answer which model serves, since when, with which contract, and what failed."""
            document: dict[str, JsonValue] = msgspec.json.decode(answers.info(state).body)
            return document

        async def __is_ready__(self) -> bool:
            return state.not_ready_reason() is None

        async def __metrics__(self, text: str) -> str:
            return text + metrics()

    return ModelService


class _Adapter:
    """Checks the API key and hands a decoded request back to `serving.answers`."""

    def __init__(self, settings: Settings, state: ServiceState) -> None:
        self._keys = settings.key_digests
        self._state = state

    def handle(
        self,
        _output: type[Output],
        answer_to: Callable[[ServiceState, bytes], Answer],
        value: object,
        spool: Spool,
        context: Context,
    ) -> Output:
        """Answer as the fast path would; BentoML takes a Response for any declared output."""
        header = context.request.headers.get(protocol.AUTHORIZATION, "")
        if answers.is_allowed(self._keys, header.encode("latin-1")):
            answer = answer_to(self._state, msgspec.json.encode(value))
        else:
            answer = failure(HTTPStatus.UNAUTHORIZED, "The API key is missing or unknown.")
        context.response.status_code = int(answer.status)
        if answer.entry is not None:
            spool.put(answer.entry)
        response = Response(answer.body, int(answer.status), media_type="application/json")
        return cast("Output", response)
