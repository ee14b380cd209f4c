"""The settings of data.test_fraction and data.folds: the rows that are held out, and the folds.

A number is short for a mapping: `folds: 5` for `folds: {number: 5}`.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from pipeline.settings.keys.section import Name, Section

MOST_DAYS = 36_525
"""In a gap: a century."""
Share = Annotated[float, Field(ge=0, lt=1)]
Number = Annotated[int, Field(ge=2, le=100)]


class RowSettings(Section):
    """What both keys have: a column by whose values rows are chosen, instead of row by row.

    short: the setting that a number alone gives.
    """

    one_key: ClassVar[bool] = True
    short: ClassVar[str]

    by: Name | None = None
    """Column: rows with an equal value stay together; with a gap it is a date, and later days test
    what earlier ones have trained; null: the seed chooses row by row."""
    gap: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = None
    """Makes `by` a date; so many days before the rows that test are left out of those that
    train."""

    def plain(self) -> Any:
        """Return the settings for ids and for MLflow: the number alone if there is no column."""
        settings = self.model_dump(exclude_none=True)
        number = settings.pop(self.short)
        return {self.short: number} | settings if settings else number


class HeldOut(RowSettings):
    """The rows that are held out."""

    short: ClassVar[str] = "share"

    share: Share = 0.2
    """Share of the rows."""


class Folds(RowSettings):
    """The folds of the training rows."""

    short: ClassVar[str] = "number"

    number: Number = 5
    """Number of folds."""


def _long_form(kind: type[RowSettings], number: Any, example: str) -> BeforeValidator:
    """Return what makes a mapping of the number that is short for one. number: its type."""

    def check(value: Any) -> Any:
        if isinstance(value, dict | RowSettings):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PydanticCustomError(
                "row_settings", f"must be a number, or a mapping such as {example}"
            )
        return {kind.short: value}

    return BeforeValidator(check, json_schema_input_type=number | kind)


HeldOutRows = Annotated[HeldOut, _long_form(HeldOut, Share, "{share: 0.2, by: customer}")]
FoldsOfRows = Annotated[Folds, _long_form(Folds, Number, "{number: 5, by: customer}")]
