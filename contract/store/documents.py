"""JSON documents of the store, read in one place.

A document may be damaged, cut off, of another kind or written by a newer version. Each of these is
one sentence and exit code 3: nobody knows what it said, so nothing is decided on it.
"""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from contract.errors import Refused
from contract.store.client import Store

Model = TypeVar("Model", bound=BaseModel)


class DamagedDocument(Refused):
    """A document of the store cannot be read as what it should be."""


def parse_document(body: bytes, model: type[Model], name: str) -> Model:
    """Return the document in `body`; `name` is its key or file, for the sentence.

    Raises:
        DamagedDocument: it is damaged, cut off, of another kind, or of a newer version.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole document"
        sentence = (
            f"{name} cannot be read as {model.__name__} ({where}: {first['msg']}); it is damaged, or "
            "was written by a newer version: restore it, or upgrade."
        )
        raise DamagedDocument(sentence) from error


def read_document(store: Store, key: str, model: type[Model]) -> Model | None:
    """Return the document at `key`; None where there is none.

    Raises:
        DamagedDocument: as in `parse_document`.
    """
    found = read_with_etag(store, key, model)
    return None if found is None else found[0]


def read_with_etag(store: Store, key: str, model: type[Model]) -> tuple[Model, str] | None:
    """Return the document at `key` and its ETag for `Store.swap`; None where there is none.

    Raises:
        DamagedDocument: as in `parse_document`.
    """
    found = store.get_with_etag(key)
    return None if found is None else (parse_document(found[0], model, key), found[1])
