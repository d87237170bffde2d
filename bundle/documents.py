"""The typed JSON files of a bundle; `bundle.plans` has `encoder.json`.

`contract.json` says what a row looks like, `model.json` how members become one score,
`card.json` where the model comes from, `golden.json` what it must answer.
"""

from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, FiniteFloat, JsonValue, NonNegativeInt, model_validator

from bundle import limits
from contract.artifacts import Sha256
from contract.learning_task import LearningTask
from contract.strict import Strict

FORMAT: Final = "bundle/1"

ColumnType = Literal["number", "boolean", "category", "date", "text"]
Label = bool | int | float | str


class Column(Strict):
    """An input column as a caller sends it."""

    name: str = Field(min_length=1)
    type: ColumnType
    required: bool = False
    """True: a row without this key is refused by the service."""
    nullable: bool = True
    """False: null is refused by the service."""
    low: FiniteFloat | None = None
    """The smallest allowed number, in `unit`; null: no limit."""
    high: FiniteFloat | None = None
    """The largest allowed number, in `unit`; null: no limit."""
    unit: str | None = None
    description: str = ""

    @model_validator(mode="after")
    def _range_is_open(self) -> "Column":
        if self.low is not None and self.high is not None and self.low > self.high:
            why = f"`low <= high` must hold for {self.name!r}, got {self.low} and {self.high}"
            raise ValueError(why)
        return self


class ScoreOutput(Strict):
    """What the score estimates."""

    name: str = Field(min_length=1)
    """The target column."""
    unit: str | None = None


class Contract(Strict):
    """`contract.json`: input columns, output, classes."""

    problem: str
    task: LearningTask
    columns: tuple[Column, ...] = Field(min_length=1, max_length=limits.COLUMNS)
    output: ScoreOutput
    classes: tuple[Label, ...] = Field(default=(), max_length=limits.CLASSES)
    """Labels in the order of the scores; empty for a regression."""
    positive: Label | None = None
    """The class whose probability a binary model gives."""
    key: tuple[str, ...] = ()
    """Columns that name a row; a caller may send them along, and the service logs them."""
    event_time: str | None = None
    """The column that says when a row happened; sent along and logged as the key."""

    @property
    def scores(self) -> int:
        """How many numbers a prediction has: the classes of a multiclass problem, else 1."""
        return len(self.classes) if self.task == "multiclass" else 1

    @model_validator(mode="after")
    def _classes_fit_the_task(self) -> "Contract":
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            why = "a column stands twice in the contract"
            raise ValueError(why)
        if len({str(label) for label in self.classes}) != len(self.classes):
            why = f"classes {self.classes!r} are not distinct"
            raise ValueError(why)
        expected = {"binary": 2, "regression": 0}.get(self.task)
        if expected is not None and len(self.classes) != expected:
            why = f"a {self.task} problem has {expected} classes, found {len(self.classes)}"
            raise ValueError(why)
        if self.task == "multiclass" and len(self.classes) < 2:  # noqa: PLR2004 - "several"
            why = f"a multiclass problem has several classes, found {len(self.classes)}"
            raise ValueError(why)
        if (self.task == "binary") != (self.positive is not None):
            why = "a binary problem names its positive class, and no other problem does"
            raise ValueError(why)
        if self.positive is not None and self.positive not in self.classes:
            why = f"positive class {self.positive!r} is not one of {self.classes!r}"
            raise ValueError(why)
        return self


class MemberEntry(Strict):
    """One member of the ensemble: which file, which encoded columns, which share."""

    file: str
    weight: FiniteFloat = Field(ge=0)
    """Share of the score; the weights of all members sum to 1 within 1e-9."""
    inputs: tuple[NonNegativeInt, ...] = Field(min_length=1, max_length=limits.COLUMNS)
    """Places in the encoded row, in the order in which the member was trained."""
    scale: FiniteFloat = 1.0
    shift: FiniteFloat = 0.0
    """The member's output times `scale` plus `shift` enters the sum."""


class Platt(Strict):
    """sigmoid(a * logit(p) + b): Platt, Probabilistic Outputs for SVMs, 1999."""

    kind: Literal["platt"] = "platt"
    a: FiniteFloat
    b: FiniteFloat


class Isotonic(Strict):
    """Linear interpolation between (x, y), constant outside; x increases strictly."""

    kind: Literal["isotonic"] = "isotonic"
    x: tuple[FiniteFloat, ...] = Field(min_length=2, max_length=100_000)
    y: tuple[FiniteFloat, ...]

    @model_validator(mode="after")
    def _is_monotone(self) -> "Isotonic":
        if len(self.x) != len(self.y):
            why = f"{len(self.x)} x against {len(self.y)} y"
            raise ValueError(why)
        if any(left >= right for left, right in pairwise(self.x)):
            why = "x does not increase strictly"
            raise ValueError(why)
        if any(left > right for left, right in pairwise(self.y)):
            why = "y decreases"
            raise ValueError(why)
        if self.y[0] < 0 or self.y[-1] > 1:
            why = "y leaves [0, 1]"
            raise ValueError(why)
        return self


Calibration = Annotated[Platt | Isotonic, Field(discriminator="kind")]


class ModelDocument(Strict):
    """`model.json`: members, calibration, threshold."""

    members: tuple[MemberEntry, ...] = Field(min_length=1, max_length=limits.MEMBERS)
    combine: Literal["weighted mean"] = "weighted mean"
    calibration: tuple[Calibration, ...] = ()
    """Empty, or one for each score; several are normalised to sum 1 again."""
    threshold: FiniteFloat | None = Field(default=None, ge=0, le=1)
    """Binary only: from this probability on the label is the positive class."""

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> "ModelDocument":
        total = sum(member.weight for member in self.members)
        if abs(total - 1.0) > 1e-9:  # noqa: PLR2004 - rounding of up to 40 shares
            why = f"the members' weights sum to {total!r}, expected 1"
            raise ValueError(why)
        return self


class Card(Strict):
    """`card.json`: what a person asks about a model."""

    problem: str
    run: str
    trained_at: AwareDatetime
    """The end of the training window, not the clock."""
    rows: NonNegativeInt
    """Rows that the members were fitted on."""
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict)
    family: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    limits: tuple[str, ...] = ()
    """Sentences: what the model must not be used for, what it never saw."""


class GoldenRow(Strict):
    """A raw row and what every stage of the reader makes of it."""

    row: dict[str, bool | int | float | str | None]
    encoded: tuple[float | None, ...]
    members: tuple[tuple[float, ...], ...]
    output: tuple[float, ...]


class Golden(Strict):
    """`golden.json`: rows that a reader must reproduce before it serves."""

    tolerance: float = Field(default=1e-12, ge=0, le=limits.GOLDEN_TOLERANCE)
    """Relative above 1, absolute below; not 0, since libm's exp differs by 1 ulp."""
    rows: tuple[GoldenRow, ...] = Field(min_length=1, max_length=limits.GOLDEN_ROWS)


class FileEntry(Strict):
    """One file of the bundle."""

    sha256: Sha256
    bytes: NonNegativeInt


class BundleManifest(Strict):
    """`manifest.json`; the sha256 of its bytes is the model's name."""

    format: Literal["bundle/1"] = FORMAT
    files: dict[str, FileEntry] = Field(min_length=1, max_length=limits.FILES)
