"""Files on a disk."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from contract.problem.sources.base import SourceBase, mentioned


class FilesSource(SourceBase):
    """Files on a disk: CSV, JSON lines or Parquet, plain or compressed."""

    kind: Literal["files"]
    path: Annotated[str, StringConstraints(min_length=1)]
    """A pattern such as `${LANDING}/flights/*.csv.gz`; names come from the environment."""

    def environment_names(self) -> frozenset[str]:
        """Return the names in the pattern."""
        return mentioned(self.path)

    def describe(self) -> str:
        """Return the pattern, its names not replaced."""
        return self.path
