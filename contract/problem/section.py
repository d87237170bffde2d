"""The base of every part of the problem file."""

from pydantic import ConfigDict

from contract.strict import Strict


class Section(Strict):
    """A part of the problem file; the docstring below a field is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True, populate_by_name=True)
