"""What every part of the problem file is: frozen, nothing unknown, described by its docstrings."""

from pydantic import ConfigDict

from contract.strict import Strict


class Section(Strict):
    """A part of the problem file; the docstring below a field is its description."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True
    )
