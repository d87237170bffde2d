"""JSON documents of the store, read in one place.

A document may be damaged, cut off, of another kind or written by a newer version. Each of these is
one sentence and exit code 3: nobody knows what it said, so nothing is decided on it.
"""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from contract.artifacts import Artifact
from contract.errors import Refused
from contract.store.client import Store

Model = TypeVar("Model", bound=BaseModel)

WHERE_CHARACTERS = 200  # arbitrary; a field's path may hold words of the damaged document


class DamagedDocument(Refused):
    """A document of the store cannot be read as what it should be."""

    def __init__(self, name: str, kind: str, fault: str) -> None:
        super().__init__(
            f"{name} cannot be read as {kind} ({' '.join(fault.split())}); it is damaged, or was "
            "written by a newer version: restore it, or upgrade."
        )


def parse_document(body: bytes, model: type[Model], name: str) -> Model:
    """Return the document in `body`; `name` is its key or file, for the sentence.

    Raises:
        DamagedDocument: it is damaged, cut off, of another kind, or of a newer version.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise DamagedDocument(name, model.__name__, _fault(error)) from error


def parse_json(body: bytes, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value in `body`, whose meaning only its reader knows.

    Raises:
        DamagedDocument: it is not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DamagedDocument(name, "JSON", str(error)) from error


def parse_value(value: object, model: type[Model], name: str) -> Model:
    """Return the model in a part of a document that was parsed before.

    Raises:
        DamagedDocument: it is something else.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise DamagedDocument(name, model.__name__, _fault(error)) from error


def read_document(store: Store, key: str, model: type[Model]) -> Model | None:
    """Return the document at `key`; None where there is none.

    Raises:
        DamagedDocument: as in `parse_document`.
    """
    stored = read_with_etag(store, key, model)
    return None if stored is None else stored[0]


def read_with_etag(store: Store, key: str, model: type[Model]) -> tuple[Model, str] | None:
    """Return the document at `key` and its ETag for `Store.swap`; None where there is none.

    Raises:
        DamagedDocument: as in `parse_document`.
    """
    stored = store.get_with_etag(key)
    return None if stored is None else (parse_document(stored[0], model, key), stored[1])


def read_artifact(store: Store, artifact: Artifact, model: type[Model]) -> Model:
    """Return the document behind an artifact, whose sha256 is checked.

    Raises:
        NotFound, InvalidRequest: as in `Store.read`.
        DamagedDocument: as in `parse_document`.
    """
    return parse_document(store.read(artifact), model, store.key(artifact.uri))


def read_json_artifact(store: Store, artifact: Artifact) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value behind an artifact, whose sha256 is checked.

    Raises:
        NotFound, InvalidRequest: as in `Store.read`.
        DamagedDocument: it is not JSON.
    """
    return parse_json(store.read(artifact), store.key(artifact.uri))


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))[:WHERE_CHARACTERS] or "the whole document"
    return f"{where}: {first['msg']}"
