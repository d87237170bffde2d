"""The suite of expectations that the problem stage fixes for a run."""

from typing import Any

from contract.strict import Strict


class ExpectationSuite(Strict):
    """A suite as Great Expectations writes it, without what is of no use here."""

    name: str
    expectations: tuple[dict[str, Any], ...]
    """Type, arguments and meta of each; `validation` judges them."""
