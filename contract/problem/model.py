"""The typed problem, version 1. Each field says what it means, and why its default is what it is.

Defaults live here and nowhere else. A key whose feature is not built is not in the model.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    StringConstraints,
    model_validator,
)

from contract.learning_task import LearningTask
from contract.messages import unexpected
from contract.problem.channels import Alerts
from contract.problem.columns import ColumnOverride, Features, SourceName
from contract.problem.gates import Gates
from contract.problem.metric import METRICS_BY_TASK, Metric
from contract.problem.monitoring import Monitoring, Retraining
from contract.problem.resources import DEFAULTS, Resources
from contract.problem.section import Section
from contract.problem.serving import Serving
from contract.problem.sources import Source
from contract.problem.sources.base import ColumnName
from contract.problem.units import Duration, Share
from contract.stages import Stage

# The families of `methods.models.families`, which a test compares with these, and their ensemble.
Candidate = Literal["linear", "tree", "forest", "boosting", "neural", "ensemble"]


def _cron(value: str) -> str:
    if len(value.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        raise ValueError(unexpected(value, "a cron line of five fields", example="0 2 * * *"))
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            unexpected(value, "a name of the time zone database", example="UTC")
        ) from error
    return value


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Cron = Annotated[str, AfterValidator(_cron)]
Zone = Annotated[str, AfterValidator(_zone)]


class Labels(Section):
    """Where the truth comes from, and how late."""

    source: str = Field(alias="from")
    """A source, joined by key, or `feedback`: what clients tell the service by request id."""
    on: tuple[ColumnName, ...] = ()
    """The key that joins a prediction with its label; default: the source's key."""
    horizon: Duration = timedelta(days=1)
    """How long after the event the truth is usually known; one day suits daily loads."""


class Target(Section):
    """What is predicted."""

    column: ColumnName
    """The column of the main source that holds the truth."""
    task: LearningTask | None = None
    """The kind of learning task; inferred from the column's values when absent."""
    positive: str | int | float | bool | None = None
    """For binary: the value whose probability is predicted; default: the rarer of the two."""
    labels: Labels | None = None
    """Default: the main source itself, one day late."""


class Quarantine(Section):
    """Rows that fail a check are set aside with the reason."""

    budget: Share = 0.01
    """Above this share of the rows the run is refused: one bad row in a hundred is a system."""


class Checks(Section):
    """What the data must fulfil."""

    suite: str = "expectations.json"
    """A suite as Great Expectations writes it, beside this file; it may be absent."""
    quarantine: Quarantine = Quarantine()
    """What happens to rows that fail."""


class Split(Section):
    """Which rows are for training, which for validation, and which are held out in the vault."""

    by: Literal["time", "hash", "group"] | None = None
    """Default: `time` where the main source has an event time, else `hash`."""
    group: ColumnName | None = None
    """For `group`: rows with the same value stay in the same part."""
    vault: Share = 0.15
    """Hold-out rows that only the gate reads; with time: the newest, at most four verdict windows."""
    validation: Share = 0.15
    """Rows that tuning, threshold and calibration read; of what the vault left."""
    gap: Duration = timedelta(0)
    """With time: rows this close before a cut are left out, where labels come late."""


class Models(Section):
    """Which kinds of model are tried, and for how long."""

    budget: Duration = timedelta(minutes=5)
    """CPU time of selection and tuning together; five minutes on a laptop's core."""
    candidates: tuple[Candidate, ...] = get_args(Candidate)
    """All by default; a dummy is always among them."""
    seed: NonNegativeInt = 0
    """Of everything random."""


class Problem(Section, title="Perennial problem"):
    """The problem file."""

    api_version: Literal["perennial/v1"] = Field(alias="apiVersion")
    """The version of this file's form."""
    kind: Literal["Problem"]
    """Always `Problem`."""
    name: Name
    """Lowercase, digits, hyphens; names the store's prefix, the DAGs and the service."""
    question: Annotated[str, StringConstraints(min_length=1)]
    """The question that a prediction answers, in the business's words."""
    decision: str = ""
    """What is done with the answer."""
    owner: str = "unknown"
    """Whom an alarm names."""
    target: Target
    """What is predicted."""
    metric: Metric = Metric()
    """How success is measured."""
    source: Annotated[dict[SourceName, Source], Field(min_length=1)]
    """One or several; the first, or the one that holds the labels, is the main one."""
    features: Features = Features()
    """Which columns a model may see."""
    columns: dict[ColumnName, ColumnOverride] = Field(default_factory=dict)
    """Overrides of what is inferred; absent columns are inferred."""
    checks: Checks = Checks()
    """What the data must fulfil."""
    split: Split = Split()
    """Which rows are for training, which for validation, and which are held out in the vault."""
    models: Models = Models()
    """Which kinds of model are tried, and for how long."""
    gates: Gates = Gates()
    """What a model must fulfil before it serves."""
    serving: Serving = Serving()
    """How a model is served on a cluster; one machine has one process."""
    monitoring: Monitoring = Monitoring()
    """When and how the served model is monitored."""
    retraining: Retraining = Retraining()
    """What may start a retraining, and how often."""
    alerts: Alerts = Alerts()
    """Whom to tell that something needs a person, and by which channel."""
    resources: dict[Stage, Resources] = Field(default_factory=dict)
    """For each stage: what its pod is given."""
    timezone: Zone = "UTC"
    """Of `schedule` and of times of day."""
    schedule: Cron | None = None
    """Nightly lifecycle in cron's five fields; none: by hand or by monitoring only."""

    @property
    def main_source_name(self) -> str:
        """The source that has one row for each prediction."""
        labels = self.target.labels
        if labels is not None and labels.source in self.source:
            return labels.source
        return next(iter(self.source))

    @property
    def main_source(self) -> Source:
        """The source that has one row for each prediction."""
        return self.source[self.main_source_name]

    def environment_names(self) -> frozenset[str]:
        """Return the names of the environment that its sources need."""
        names = [source.environment_names() for source in self.source.values()]
        return frozenset().union(*names)

    @property
    def labels(self) -> Labels:
        """Where labels come from, with the defaults that depend on the sources filled in."""
        labels = self.target.labels or Labels(source=self.main_source_name)
        return labels.model_copy(update={"on": labels.on or self.main_source.key})

    @property
    def split_by(self) -> Literal["time", "hash", "group"]:
        """How parts are cut, with the default that depends on the source filled in."""
        return self.split.by or ("time" if self.main_source.event_time else "hash")

    def resources_of(self, stage: Stage) -> Resources:
        """What a stage's pod is given, with the defaults that depend on the stage filled in."""
        declared, default = self.resources.get(stage), DEFAULTS[stage]
        if declared is None:
            return default
        return default.model_copy(update=declared.model_dump(exclude_unset=True))

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check the rules that span several keys."""
        faults = []
        labels = self.target.labels
        if labels is not None and labels.source not in {*self.source, "feedback"}:
            known = ", ".join([*self.source, "feedback"])
            faults.append(f"target.labels.from is {labels.source!r}; one of {known} is expected")
        faults += [
            f"features.join names {name!r}, which is not under source; add it there"
            for name in self.features.join
            if name not in self.source
        ]
        faults += [
            f"source {name!r} is not joined; say how under features.join.{name}"
            for name in self.source
            if name != self.main_source_name and name not in self.features.join
        ]
        if self.split.by == "time" and self.main_source.event_time is None:
            faults.append(
                f"split.by is time, but source.{self.main_source_name}.event_time is absent; add it"
            )
        if (self.split.by == "group") != (self.split.group is not None):
            faults.append("split.by: group and split.group go together; give both or neither")
        if self.target.task and self.metric.name:
            fitting = METRICS_BY_TASK[self.target.task]
            if self.metric.name not in fitting:
                faults.append(
                    f"metric.name is {self.metric.name}, which does not fit the task "
                    f"{self.target.task}; one of {', '.join(fitting)} is expected"
                )
        if self.target.column in self.features.drop:
            faults.append("features.drop holds the target's own column; take it out")
        if faults:
            raise ValueError("; ".join(faults))
        return self
