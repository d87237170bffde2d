"""The BentoML service: the same routes as ordinary BentoML APIs, its probes, metrics and OpenAPI.

Behind the fast lane these APIs are not called; they document the routes, and they answer the same,
only slower, should the lane be left out.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast

import bentoml
import msgspec
from bentoml import Context
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import Response

from serving import answers
from serving.answers import Answer, failure
from serving.rows import MOST_ROWS
from serving.settings import Settings
from serving.spool import Spool
from serving.standing import Standing

Scalar = str | bool | int | float | None
Row = dict[str, Scalar]
Declared = TypeVar("Declared")


class Batch(BaseModel):
    """Several rows, answered in their order."""

    model_config = ConfigDict(extra="allow")  # the contract's own words name what is too much

    rows: Annotated[list[Row], Field(max_length=MOST_ROWS)]


class Label(BaseModel):
    """What turned out true of a predicted row."""

    model_config = ConfigDict(extra="allow")  # as in Batch

    request_id: str = Field(description="As /v1/predict gave it.")
    row: int = Field(default=0, description="The place in the batch, from 0.")
    label: str | bool | int | float = Field(description="The class, or the value.")


class Spoken(BaseModel):
    """What the model says of a row."""

    score: float | None = Field(default=None, description="Binary: P(positive).")
    scores: dict[str, float] | None = Field(default=None, description="Multiclass: P of each.")
    value: float | None = Field(default=None, description="Regression: the estimate.")
    label: Scalar = Field(default=None, description="The decision, by the model's threshold.")


class Prediction(Spoken):
    """One row's answer."""

    request_id: str = Field(description="UUIDv7; send it back with what turned out true.")
    model: str = Field(description="The digest of the model that answered.")


class Predictions(BaseModel):
    """A batch's answers, in the order of its rows."""

    request_id: str
    model: str
    predictions: list[Spoken]


class Accepted(BaseModel):
    """How many labels were taken."""

    accepted: int


def build(
    settings: Settings,
    standing: Standing,
    predictions: Spool,
    labels: Spool,
    metrics: Callable[[], str],
) -> "bentoml.Service[Any]":
    """Return the service of one problem around the state of this process.

    `metrics` gives the text that follows BentoML's own.
    """
    door = _Door(settings, standing)

    @bentoml.service(name=settings.problem, workers=1)
    class Model:
        """Predictions of the model that serves; `/info` has its contract."""

        @bentoml.api(route="/v1/predict")  # type: ignore[untyped-decorator] # BentoML ships no types
        async def predict(self, row: Row, /, context: Context) -> Prediction:
            """Predict one row."""
            return door.pass_on(Prediction, answers.predict, row, predictions, context)

        @bentoml.api(route="/v1/predict_batch")  # type: ignore[untyped-decorator] # BentoML ships no types
        async def predict_batch(self, batch: Batch, /, context: Context) -> Predictions:
            """Predict up to 10,000 rows."""
            return door.pass_on(
                Predictions, answers.predict_batch, batch.model_dump(), predictions, context
            )

        @bentoml.api(route="/v1/feedback")  # type: ignore[untyped-decorator] # BentoML ships no types
        async def feedback(self, label: Label, /, context: Context) -> Accepted:
            """Say what turned out true of one row; behind the lane, of a list of them as well."""
            return door.pass_on(Accepted, answers.feedback, label.model_dump(), labels, context)

        @bentoml.api(route="/info")  # type: ignore[untyped-decorator] # BentoML ships no types
        async def info(self) -> dict[str, JsonValue]:
            """Tell which model serves, since when, with which contract, and what is wrong."""
            found: dict[str, JsonValue] = msgspec.json.decode(answers.info(standing).body)
            return found

        async def __is_ready__(self) -> bool:
            return standing.unready() is None

        async def __metrics__(self, text: str) -> str:
            return text + metrics()

    return Model


class _Door:
    """Asks for the key and hands a decoded request back to `serving.answers`."""

    def __init__(self, settings: Settings, standing: Standing) -> None:
        self._keys = settings.key_digests
        self._standing = standing

    def pass_on(
        self,
        _declared: type[Declared],
        answering: Callable[[Standing, bytes], Answer],
        value: object,
        spool: Spool,
        context: Context,
    ) -> Declared:
        """Answer as the lane would; BentoML takes a Response for any declared output."""
        header = context.request.headers.get("authorization", "")
        if answers.is_allowed(self._keys, header.encode("latin-1")):
            answer = answering(self._standing, msgspec.json.encode(value))
        else:
            answer = failure(HTTPStatus.UNAUTHORIZED, "The API key is missing or unknown.")
        context.response.status_code = int(answer.status)
        if answer.entry is not None:
            spool.put(answer.entry)
        response = Response(answer.body, int(answer.status), media_type="application/json")
        return cast("Declared", response)
