"""The state of the service: which model serves, since when, what failed, whether it is stopping."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from contract.service_protocol import LoadFailure
from serving.counters import Counters
from serving.served_model import ServedModel


@dataclass
class ServiceState:
    """What requests read; the pointer watcher's thread replaces its references."""

    problem: str
    counters: Counters = field(default_factory=Counters)
    served: ServedModel | None = None
    since: datetime | None = None
    """When the model was taken into service, by the clock."""
    load_failure: LoadFailure | None = None
    """Why a model that should serve does not."""
    draining: bool = False
    _coerced_before: Counter[str] = field(default_factory=Counter)

    def swap(self, served: ServedModel | None, now: datetime) -> None:
        """Serve with another model from now on; None: with none."""
        if self.served is not None:
            self._coerced_before.update(self.served.model.encoder.coerced)
        self.served, self.since, self.load_failure = served, now if served else None, None
        if served is not None:
            self.counters.swaps += 1

    def coerced(self) -> Counter[str]:
        """Return how many values of each column were taken for missing since the start."""
        counts = self._coerced_before.copy()
        if self.served is not None:
            counts.update(self.served.model.encoder.coerced)  # `+` would leave out the zeros
        return counts

    def not_ready_reason(self) -> str | None:
        """Return in one sentence why requests must go elsewhere; None: it is ready."""
        if self.draining:
            return f"The service of {self.problem!r} is stopping; ask another one."
        if self.served is not None:
            return None
        if self.load_failure is not None:
            return f"No model serves {self.problem!r}: {self.load_failure['why']}"
        return f"No model is deployed for {self.problem!r} yet; run `perennial run {self.problem}`."
