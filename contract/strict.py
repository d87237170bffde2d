"""The base of every value that crosses a boundary: frozen, and closed to unknown fields."""

from pydantic import BaseModel, ConfigDict

from contract.canonical_json import canonical_json


class Strict(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def canonical(self) -> bytes:
        """Return the one JSON spelling of this value: sorted keys, no spaces, UTF-8."""
        return canonical_json(self.model_dump(mode="json"))
