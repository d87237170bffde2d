"""Where the rows come from: the registry of the kinds of source.

A kind is one model here and one reader in `tasks/collection/readers/`, both in a module that is
named by the kind. Adding one is an import and a member of the union below; nothing else names it.
"""

from typing import Annotated, get_args

from pydantic import Field

from contract.problem.sources.base import SourceBase
from contract.problem.sources.files import FilesSource
from contract.problem.sources.postgres import PostgresSource

Source = Annotated[
    FilesSource | PostgresSource,
    Field(discriminator="kind"),
]


def kind_of(model: type[SourceBase]) -> str:
    """Return the word by which the problem file names a kind of source."""
    return str(get_args(model.model_fields["kind"].annotation)[0])


KINDS: dict[str, type[SourceBase]] = {
    kind_of(model): model for model in get_args(get_args(Source)[0])
}
