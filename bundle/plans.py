"""The column plans of `encoder.json`: how a column's raw value becomes numbers.

A plan is data. It holds no code and no pattern that a hostile bundle could make slow.
`bundle.encoder` gives each kind its one scalar function.
"""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, NonNegativeInt, model_validator

from bundle import limits
from contract.strict import Strict

DatePart = Literal["year", "month", "day", "hour", "minute", "weekday", "dayofyear", "days"]
NumberOrMissing = FiniteFloat | None  # null stands for NaN, which JSON cannot hold


class NumberPlan(Strict):
    """A number as it is; beyond `low` or `high` it is cut to them, missing stays NaN."""

    kind: Literal["number"] = "number"
    column: str
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return (self.column,)


class EqualsPlan(Strict):
    """A column of two numbers or booleans: 1 where it equals `one`, else 0; missing is NaN."""

    kind: Literal["equals"] = "equals"
    column: str
    one: FiniteFloat

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return (self.column,)


class CategoryPlan(Strict):
    """A category as its code.

    Keys are canonical (`bundle.values.key`): 7, 7.0 and "7" are one value. A missing value has
    the code `missing` and an unseen one the code `other`; null stands for NaN.
    """

    kind: Literal["category"] = "category"
    column: str
    values: dict[str, NonNegativeInt]
    missing: NonNegativeInt | None = None
    other: NonNegativeInt | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return (self.column,)

    @property
    def size(self) -> int:
        """One more than the largest code this plan can give."""
        codes = [*self.values.values(), self.missing, self.other]
        return 1 + max((code for code in codes if code is not None), default=-1)

    @model_validator(mode="after")
    def _other_is_its_own(self) -> "CategoryPlan":
        if self.other is not None and self.other in self.values.values():
            why = f"{self.column!r}: the code of unseen values, {self.other}, is a value's own"
            raise ValueError(why)
        return self


class LookupPlan(Strict):
    """A category as one or more learned numbers, for instance a target encoding."""

    kind: Literal["lookup"] = "lookup"
    column: str
    values: dict[str, tuple[NumberOrMissing, ...]]
    missing: tuple[NumberOrMissing, ...] = Field(min_length=1)
    other: tuple[NumberOrMissing, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return tuple(f"{self.column}.lookup{index}" for index in range(len(self.missing)))

    @model_validator(mode="after")
    def _one_width(self) -> "LookupPlan":
        widths = {len(row) for row in [*self.values.values(), self.missing, self.other]}
        if len(widths) != 1:
            why = f"{self.column!r}: rows of {sorted(widths)} numbers, expected one width"
            raise ValueError(why)
        return self


class DatePlan(Strict):
    """A date or an instant as calendar parts in UTC; `days` counts from 1970-01-01."""

    kind: Literal["date"] = "date"
    column: str
    parts: tuple[DatePart, ...] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return tuple(f"{self.column}.{part}" for part in self.parts)


class TextPlan(Strict):
    """A text as linear scores of its TF-IDF vector (sublinear counts, l2 norm).

    A term is (word or "word word", inverse document frequency, a weight for each score).
    """

    kind: Literal["text"] = "text"
    column: str
    terms: tuple[tuple[str, FiniteFloat, tuple[FiniteFloat, ...]], ...] = Field(
        max_length=limits.TERMS
    )
    bias: tuple[FiniteFloat, ...] = Field(min_length=1)
    bigrams: bool = True
    characters: int = Field(default=20_000, ge=1, le=limits.TEXT_CHARACTERS)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return tuple(f"{self.column}.score{index}" for index in range(len(self.bias)))

    @model_validator(mode="after")
    def _one_width(self) -> "TextPlan":
        if any(len(weights) != len(self.bias) for _, _, weights in self.terms):
            why = f"{self.column!r}: a term without exactly {len(self.bias)} weights"
            raise ValueError(why)
        return self


Plan = Annotated[
    NumberPlan | EqualsPlan | CategoryPlan | LookupPlan | DatePlan | TextPlan,
    Field(discriminator="kind"),
]


class EncoderDocument(Strict):
    """`encoder.json`: the plans, in the order of the encoded columns."""

    columns: tuple[Plan, ...] = Field(min_length=1, max_length=limits.COLUMNS)
