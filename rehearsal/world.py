"""What a rehearsal's days are made of: rows to answer, their truth, and what lands when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bundle.arrays import Floats

Micros = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max
"""The moment at which a row lands that never does."""


@dataclass(frozen=True)
class Landing:
    """Rows of one source, and the moment from which on each lies in its files."""

    table: pa.Table
    known: Micros
    """(n,), microseconds since 1970; `NEVER`: not at all."""


@dataclass(frozen=True)
class WorldDay:
    """One day: what callers ask, what turns out to be true, what the sources receive."""

    asked: pa.Table
    """(n,) rows as callers send them: features, key and event time; fewer or none in an outage."""
    moments: Micros
    """(n,), when each is asked, ascending."""
    truth: Sequence[object]
    """(n,) labels; None: nobody ever knows. What the rehearsal measures by, whenever it is known."""
    landings: Mapping[str, Landing] = field(default_factory=dict)
    """By source."""
    feedback: Micros | None = None
    """(n,) when the client tells each label; None: labels come by a source."""
    chance: Floats | None = None
    """(n,) of a made-up binary world: the true P(positive), which no model can do better than."""


class World(Protocol):
    """A problem's days, each a pure function of its number."""

    def day(self, number: int) -> WorldDay:
        """Return day `number`: 0 is the first one that a model serves, negative ones are history."""

    def once(self) -> Mapping[str, pa.Table]:
        """Return what lands before everything else, by source: tables without time."""
