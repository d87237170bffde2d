"""The typed problem, version 1. Each field says what it means, and why its default is what it is.

Defaults live here and nowhere else. A key whose feature is not built is not in the model.
"""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from contract.problem.resources import DEFAULTS, Resources
from contract.problem.section import Section
from contract.problem.serving import Serving
from contract.problem.units import Duration, Share, Size
from contract.stages import Stage

TaskKind = Literal["binary", "multiclass", "regression"]
Candidate = Literal["linear", "tree", "forest", "boosting", "neural", "ensemble"]
MetricName = Literal[
    "roc_auc",
    "average_precision",
    "log_loss",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "rmse",
    "mae",
    "r2",
]
METRICS_BY_TASK: dict[TaskKind, tuple[MetricName, ...]] = {
    "binary": (
        "roc_auc",
        "average_precision",
        "log_loss",
        "accuracy",
        "balanced_accuracy",
        "f1",
    ),
    "multiclass": ("log_loss", "accuracy", "balanced_accuracy", "f1"),
    "regression": ("rmse", "mae", "r2"),
}


def _cron(value: str) -> str:
    if len(value.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        sentence = f"found {value!r}; five fields of cron are expected, such as 0 2 * * *"
        raise ValueError(sentence)
    return value


def _clock(value: str) -> str:
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value) is None:
        sentence = f'found {value!r}; a time of day is expected, such as "06:00"'
        raise ValueError(sentence)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        sentence = f"found {value!r}; a name of the time zone database is expected, such as UTC"
        raise ValueError(sentence) from error
    return value


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ColumnName = Annotated[str, StringConstraints(min_length=1)]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Cron = Annotated[str, AfterValidator(_cron)]
Clock = Annotated[str, AfterValidator(_clock)]
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
    task: TaskKind | None = None
    """The kind of learning task; inferred from the column's values when absent."""
    positive: str | int | float | bool | None = None
    """For binary: the value whose probability is predicted; default: the rarer of the two."""
    labels: Labels | None = None
    """Default: the main source itself, one day late."""


class Value(Section):
    """What a decision is worth, in the business's own unit; it sets the threshold."""

    true_positive: float = 0.0
    """Acting where it was right."""
    false_positive: float = 0.0
    """Acting where it was wrong."""
    true_negative: float = 0.0
    """Leaving alone where it was right."""
    false_negative: float = 0.0
    """Leaving alone where it was wrong."""


class Metric(Section):
    """How success is measured."""

    name: MetricName | None = None
    """Default: `roc_auc` for binary (no threshold needed), `log_loss` for multiclass, `rmse`."""
    value: Value | None = None
    """For binary: what each kind of decision is worth; absent: the threshold serves F1."""


class _Source(Section):
    key: tuple[ColumnName, ...] = ()
    """What names a row; a source without one gets a hash of the row's content."""
    event_time: ColumnName | None = None
    """When the event happened; with it, parts and folds are cut by time."""
    known_at: ColumnName | None = None
    """When the row was known; rows count only where it is at or before the window's end."""
    cursor: ColumnName | None = None
    """What grows from load to load, to read only what is new; absent: everything is read."""
    lag: Duration = timedelta(days=2)
    """How far back is read again for late rows; two days outlast a failed night."""


class FilesSource(_Source):
    """Files on a disk: CSV, JSON lines or Parquet, plain or compressed."""

    kind: Literal["files"]
    path: Annotated[str, StringConstraints(min_length=1)]
    """A pattern such as `${LANDING}/flights/*.csv.gz`; names come from the environment."""


class PostgresSource(_Source):
    """A query on a PostgreSQL database."""

    kind: Literal["postgres"]
    query: Annotated[str, StringConstraints(min_length=1)]
    """One SELECT without a semicolon."""
    connection: EnvironmentName
    """The environment's name that holds the connection string."""


Source = Annotated[FilesSource | PostgresSource, Field(discriminator="kind")]


class Join(Section):
    """How a further source is joined to the main one: at most one row, never from the future."""

    on: tuple[ColumnName, ...]
    """Columns that must be equal."""
    as_of: ColumnName | None = None
    """A time column of the main source: take the other's newest row at or before it."""
    tolerance: Duration | None = None
    """How old that row may be; absent: any age."""


class Features(Section):
    """Which columns a model may see."""

    join: dict[SourceName, Join] = Field(default_factory=dict)
    """One entry for each further source."""
    drop: tuple[ColumnName, ...] = ()
    """Columns that are known only after the event, or that must not be used."""


class ColumnOverride(Section):
    """What a person knows better than the inference."""

    role: Literal["number", "binary", "category", "date", "text", "id", "drop"] | None = None
    """How the column is used."""
    unit: str | None = None
    """For pages and the service's documentation."""
    range: tuple[float, float] | None = None
    """Values outside are set aside by validation and counted by monitoring."""
    required: bool | None = None
    """A request without it is answered 422; default: required where no row lacked it."""


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
    """Which rows teach, which choose, which judge."""

    by: Literal["time", "hash", "group"] | None = None
    """Default: `time` where the main source has an event time, else `hash`."""
    group: ColumnName | None = None
    """For `group`: rows with the same value stay in the same part."""
    vault: Share = 0.15
    """Rows that only the gate sees; with time: the newest, at most four verdict windows."""
    validation: Share = 0.15
    """Rows that tuning, threshold and calibration see; of what the vault left."""
    gap: Duration = timedelta(0)
    """With time: rows this close before a cut are left out, where labels come late."""


class Models(Section):
    """Which kinds of model are tried, and for how long."""

    budget: Duration = timedelta(minutes=5)
    """CPU time of selection and tuning together; five minutes on a laptop's core."""
    candidates: tuple[Candidate, ...] = (
        "linear",
        "tree",
        "forest",
        "boosting",
        "neural",
        "ensemble",
    )
    """All by default; a dummy is always among them."""
    seed: NonNegativeInt = 0
    """Of everything random."""


class BeatsChampion(Section):
    """Promote when P(gain > margin) >= confidence, on rows that neither model has seen."""

    margin: NonNegativeFloat = 0.0
    """In the metric's unit; 0: any real gain counts."""
    confidence: Share = 0.95
    """One promotion in twenty may be luck."""


class Beats(Section):
    """Whom a challenger must beat."""

    dummy: bool = True
    """True: a model that is no better than a constant is refused."""
    champion: BeatsChampion = BeatsChampion()
    """The model that serves."""


class Gates(Section):
    """What a model must fulfil before it serves; a gate that cannot be judged refuses."""

    beats: Beats = Beats()
    """Whom it must beat."""
    minimum: dict[MetricName, float] = Field(default_factory=dict)
    """For each metric the worst value that is let in (for losses: the largest)."""
    slices: tuple[ColumnName, ...] = ()
    """No value of these columns may get worse, beyond its own uncertainty."""
    latency_p99: Duration = timedelta(milliseconds=20)
    """Of one row; a page waits no longer."""
    size: Size = 200_000_000
    """Of the bundle; what a small pod holds in memory."""
    approval: Literal["none", "manual"] = "none"
    """`manual`: a person presses a button in Airflow before the deployment."""


class Monitoring(Section):
    """When and how the served model is watched."""

    at: Clock = "06:00"
    """Time of day in the problem's time zone: before people come to work."""
    verdict_window: Duration = timedelta(days=7)
    """Days that are judged together; seven take out the weekdays."""


class MinimumLabels(Section):
    """How many new labelled rows make a retraining worth its while."""

    rows: NonNegativeInt = 1_000
    """At least so many."""
    share: Share = 0.05
    """And at least this share of the rows the champion was trained on; the larger counts."""


class Retraining(Section):
    """What may start a retraining, and how often."""

    mode: Literal["off", "suggest", "approve", "auto"] = "auto"
    """`auto` starts it; `approve` waits for a person; `suggest` says so; `off` is silent."""
    cooldown: Duration = timedelta(days=7)
    """After any retraining: one verdict window, so that its effect can be seen."""
    max_per_30d: PositiveInt = 4
    """A ceiling against storms: one a week."""
    min_new_labels: MinimumLabels = MinimumLabels()
    """Fewer teach nothing new."""
    max_age: Duration = timedelta(days=56)
    """An older model is refreshed: eight verdict windows."""


class Problem(Section):
    """The problem file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        populate_by_name=True,
        title="Perennial problem",
    )

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
    """Which rows teach, which choose, which judge."""
    models: Models = Models()
    """Which kinds of model are tried, and for how long."""
    gates: Gates = Gates()
    """What a model must fulfil before it serves."""
    serving: Serving = Serving()
    """How a model is served on a cluster; one machine has one process."""
    monitoring: Monitoring = Monitoring()
    """When and how the served model is watched."""
    retraining: Retraining = Retraining()
    """What may start a retraining, and how often."""
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
    def main_source(self) -> FilesSource | PostgresSource:
        """The source that has one row for each prediction."""
        return self.source[self.main_source_name]

    @property
    def labels(self) -> Labels:
        """Where labels come from, with the defaults that depend on the sources filled in."""
        given = self.target.labels or Labels(source=self.main_source_name)
        return given.model_copy(update={"on": given.on or self.main_source.key})

    @property
    def split_by(self) -> Literal["time", "hash", "group"]:
        """How parts are cut, with the default that depends on the source filled in."""
        return self.split.by or ("time" if self.main_source.event_time else "hash")

    def resources_of(self, stage: Stage) -> Resources:
        """What a stage's pod is given, with the defaults that depend on the stage filled in."""
        given, usual = self.resources.get(stage), DEFAULTS[stage]
        if given is None:
            return usual
        return usual.model_copy(update=given.model_dump(exclude_unset=True))

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Check what more than one key has to say."""
        complaints = []
        labels = self.target.labels
        if labels is not None and labels.source not in {*self.source, "feedback"}:
            known = ", ".join([*self.source, "feedback"])
            complaints.append(
                f"target.labels.from is {labels.source!r}; one of {known} is expected"
            )
        complaints += [
            f"features.join names {name!r}, which is not under source; add it there"
            for name in self.features.join
            if name not in self.source
        ]
        complaints += [
            f"source {name!r} is not joined; say how under features.join.{name}"
            for name in self.source
            if name != self.main_source_name and name not in self.features.join
        ]
        if self.split.by == "time" and self.main_source.event_time is None:
            complaints.append(
                f"split.by is time, but source.{self.main_source_name}.event_time is absent; add it"
            )
        if (self.split.by == "group") != (self.split.group is not None):
            complaints.append("split.by: group and split.group go together; give both or neither")
        if self.target.task and self.metric.name:
            fitting = METRICS_BY_TASK[self.target.task]
            if self.metric.name not in fitting:
                complaints.append(
                    f"metric.name is {self.metric.name}, which does not fit the task "
                    f"{self.target.task}; one of {', '.join(fitting)} is expected"
                )
        if self.target.column in self.features.drop:
            complaints.append("features.drop holds the target's own column; take it out")
        if complaints:
            raise ValueError("; ".join(complaints))
        return self
