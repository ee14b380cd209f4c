"""The inputs of an ONNX file in its contract: a matrix of numbers, or the columns of a table."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from pipeline.settings.keys.column_settings import DatePart

Float = Literal["float32", "float64"]


class Part(BaseModel):
    """A part of a contract."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class Feature(Part):
    """A column of the input."""

    name: str
    min: float
    """The smallest value in the training rows, in the input's dtype."""
    max: float
    """The largest value in the training rows, in the input's dtype."""
    mean: float | SkipJsonSchema[None] = None
    """Mean of the training rows, rounded to the input's dtype. Older contracts have no means."""


Shape = tuple[Literal["batch"], int]
"""Any number of rows, and the number of columns."""


class Input(Part):
    """The only input of the file, in the units of the training table."""

    name: str
    dtype: Float
    shape: Shape
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    """In the order of the columns."""


def _is_none(value: object) -> bool:
    return value is None


class _RawColumn(Part):
    """A raw column of the table, which is an input of its own."""

    name: str
    """The column's name in the table, and the input's name in the file."""
    shape: tuple[Literal["batch"]]
    """One dimension: any number of rows."""
    missing_rows: int
    """Training rows in which the value is missing."""


class NumberInput(_RawColumn):
    """A column of numbers; NaN is a missing one."""

    kind: Literal["number"]
    dtype: Float
    min: float
    """The smallest value in the training rows, in the input's dtype."""
    max: float
    """The largest value in the training rows, in the input's dtype."""
    mean: float
    """Mean of the values in the training rows, rounded to the input's dtype."""
    fill: float | None
    """The number in the place of a missing one, in the input's dtype; null: a missing number is
    refused."""
    indicator: bool
    """True if the model gets a second number, which is 1 where the value is missing."""
    above: Annotated[float | SkipJsonSchema[None], Field(exclude_if=_is_none)] = None
    """Numbers that are not above it are refused: the model takes the logarithm. May be absent."""
    at_least: Annotated[float | SkipJsonSchema[None], Field(exclude_if=_is_none)] = None
    """Numbers below it are refused: the model takes the square root. May be absent."""


class Level(Part):
    """A level of a category."""

    name: str
    rows: int
    """Training rows that have it."""


class CategoryInput(_RawColumn):
    """A column of texts, each of which is a level; "" is a missing one."""

    kind: Literal["category"]
    dtype: Literal["string"]
    levels: tuple[Level, ...]
    """Sorted by the bytes of their names in UTF-8; without (missing) and (rare)."""
    reference: str
    """The level without a number of its own; may be (missing) or (rare)."""
    unseen: Literal["refuse", "reference", "rare"]
    """A text that is no level: refused, or answered as the reference, or as (rare)."""
    rare_rows: int
    """Training rows whose text is no level of its own: they are (rare)."""
    has_missing: bool
    """True if a missing text is the level (missing); else it is refused."""


LevelPart = Literal["month", "weekday"]


class DateInput(_RawColumn):
    """A column of dates in UTC: whole days or seconds since 1970-01-01; −2⁶³ is a missing one."""

    kind: Literal["date"]
    dtype: Literal["int64"]
    unit: Literal["days", "seconds"]
    parts: Annotated[tuple[DatePart, ...], Field(min_length=1)]
    """What the model gets of a date, in order."""
    levels: dict[LevelPart, tuple[int, ...]]
    """The months (1 to 12) and weekdays (1 is Monday) of the training rows; others are refused."""
    references: dict[LevelPart, int]
    """Of each, the level without a number of its own."""
    min: int
    """The earliest date in the training rows, in the unit."""
    max: int
    """The latest date in the training rows, in the unit."""


RawColumn = Annotated[NumberInput | CategoryInput | DateInput, Field(discriminator="kind")]
