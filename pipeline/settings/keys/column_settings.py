"""The settings of a column in data.features: its kind, and what is made of gaps and new values.

`area: number` is short for `area: {kind: number}`.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pipeline.settings.keys.section import AS_TUPLE, Section, one_of, one_of_error

Gap = Literal["refuse", "drop_row"]
DatePart = Literal["days", "year", "month", "weekday", "hour"]


class ColumnSettings(Section):
    """Settings that each kind of column has."""

    def plain(self) -> dict[str, Any]:
        """Return the kind and the settings that are not the defaults, for ids and for MLflow."""
        settings: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return {"kind": self.kind} | settings  # type: ignore[attr-defined]


class NumberSettings(ColumnSettings):
    """A column of numbers."""

    kind: Literal["number"]
    missing: Annotated[
        Gap | Literal["mean", "median"] | float,
        one_of("refuse", "drop_row", "mean", "median", or_else="a number"),
    ] = "refuse"
    """A gap: refuse it; leave its row out; or put the training rows' mean, their median, or this
    number in its place."""
    indicator: bool = False
    """Add a column that is 1 where the number was missing, else 0."""
    units: bool = False
    """Read $1,200, 45 % and 1 234 as the numbers in them."""


class CategorySettings(ColumnSettings):
    """A column of texts, each of which is a level."""

    kind: Literal["category"]
    missing: Annotated[Gap | Literal["level"], one_of("refuse", "drop_row", "level")] = "refuse"
    """A gap: refuse it; leave its row out; or take it as a level of its own, (missing)."""
    unseen: Literal["refuse", "reference", "rare"] | None = None
    """A level that no training row has: refuse it, answer as for the reference, or as for the rare
    levels; by default refuse, with min_count rare."""
    min_count: Annotated[int, Field(ge=1)] | None = None
    """Fold the levels of fewer training rows into one, (rare)."""
    reference: str | None = None
    """The level without a column of its own, by default the most frequent one."""

    @property
    def unseen_or_default(self) -> Literal["refuse", "reference", "rare"]:
        """The policy for a level that no training row has."""
        return self.unseen or ("refuse" if self.min_count is None else "rare")


class DateSettings(ColumnSettings):
    """A column of dates, or of dates with times in UTC."""

    kind: Literal["date"]
    missing: Gap = "refuse"
    """A gap: refuse it, or leave its row out."""
    parts: Annotated[tuple[DatePart, ...], *AS_TUPLE, Field(min_length=1)] = ("days",)
    """What the model gets: days since 1970-01-01, year and hour as numbers; month and weekday (1 is
    Monday) as levels."""
    format: str | None = None
    """How the dates are written, as for strptime: "%d/%m/%Y"; null: as ISO 8601 says."""


OF_KIND: dict[str, type[ColumnSettings]] = {
    "number": NumberSettings,
    "category": CategorySettings,
    "date": DateSettings,
}


def _long_form(value: Any) -> Any:
    """Return the mapping for which `area: number` is short."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or value not in OF_KIND:
        raise one_of_error(value, tuple(OF_KIND), "a mapping such as {kind: category}")
    return {"kind": value}


_ByKind = Annotated[NumberSettings | CategorySettings | DateSettings, Field(discriminator="kind")]
Column = Annotated[
    _ByKind,
    BeforeValidator(
        _long_form, json_schema_input_type=Literal["number", "category", "date"] | _ByKind
    ),
]
