"""What the store knows of an object without reading it."""

from contract.strict import Strict


class ObjectHead(Strict):
    """Its size and what identifies its content."""

    bytes: int
    etag: str


class StoredObject(ObjectHead):
    """The same, as a listing names it."""

    key: str
