"""Where the service stands: who serves, since when, what went wrong, whether it is leaving."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from contract.strict import Strict
from serving.counters import Counters
from serving.served import Served


class Fault(Strict):
    """Why a model that should serve does not."""

    digest: str | None
    why: str
    final: bool
    """False: it is tried again by itself, as the store was away."""


@dataclass
class Standing:
    """The state that requests read; the following thread replaces its references."""

    problem: str
    counters: Counters = field(default_factory=Counters)
    served: Served | None = None
    since: datetime | None = None
    """When the model was taken into service, by the clock."""
    fault: Fault | None = None
    draining: bool = False
    _coerced_before: Counter[str] = field(default_factory=Counter)

    def take(self, served: Served | None, moment: datetime) -> None:
        """Serve with another model from now on; None: with none."""
        if self.served is not None:
            self._coerced_before.update(self.served.model.encoder.coerced)
        self.served, self.since, self.fault = served, moment if served else None, None
        if served is not None:
            self.counters.swaps += 1

    def coerced(self) -> Counter[str]:
        """Return how many values of each column were taken for missing since the start."""
        found = self._coerced_before.copy()
        if self.served is not None:
            found.update(self.served.model.encoder.coerced)  # `+` would leave out the zeros
        return found

    def unready(self) -> str | None:
        """Return in one sentence why requests must go elsewhere; None: it is ready."""
        if self.draining:
            return f"The service of {self.problem!r} is stopping; ask another one."
        if self.served is not None:
            return None
        if self.fault is not None:
            return f"No model serves {self.problem!r}: {self.fault.why}"
        return f"No model is deployed for {self.problem!r} yet; run `perennial run {self.problem}`."
