"""The features of a term as numbers: a column of numbers, a part of a date, or a column a level."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.columns.category import CategoryColumn, label
from pipeline.columns.column import LearntColumn
from pipeline.columns.date import DateColumn
from pipeline.settings.keys.column_settings import DatePart

Floats = NDArray[np.float64]
Encoded = Mapping[str, Floats]
"""The encoded numbers of the features by their names, [rows, encoded names] each."""


class Operand(BaseModel):
    """A feature in a term."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    part: Annotated[DatePart | None, Field(exclude_if=lambda part: part is None)] = None
    """Of a date."""
    with_reference: Annotated[bool, Field(exclude_if=lambda value: not value)] = False
    """True if the reference level has a column as well: its number is 1 − those of the others."""

    @property
    def name(self) -> str:
        """The name as it is written in a term."""
        return self.column if self.part is None else f"{self.column}[{self.part}]"

    def has_levels(self, column: LearntColumn) -> bool:
        """Return True if its numbers are 0 and 1."""
        if isinstance(column, DateColumn):
            return self.part in column.levels
        return isinstance(column, CategoryColumn)

    def levels(self, column: LearntColumn) -> dict[str, int | None]:
        """Return the names of its columns, each with its place among the feature's numbers.

        The place is None for the reference level. Without levels there is one column.
        """
        if isinstance(column, CategoryColumn):
            of_level = {
                f"{column.name}[{label(level)}]": level == column.reference
                for level in column.all_levels
            }
        elif isinstance(column, DateColumn) and self.part in column.levels:
            of_level = {
                f"{column.name}[{self.part}={level}]": level == column.references[self.part]
                for level in column.levels[self.part]
            }
        else:
            return {self.name: self.places(column)[0]}
        places = iter(self.places(column))
        return {
            name: None if is_reference else next(places)
            for name, is_reference in of_level.items()
            if self.with_reference or not is_reference
        }

    def places(self, column: LearntColumn) -> list[int]:
        """Return the places of its numbers among the feature's encoded numbers."""
        if isinstance(column, DateColumn):
            parts = [part for part, _ in column.numbers()]
            return [place for place, part in enumerate(parts) if part == self.part]
        return [*range(len(column.encoded_names))] if isinstance(column, CategoryColumn) else [0]

    def numbers(self, column: LearntColumn, encoded: Floats) -> Floats:
        """Return its columns, those of `levels`: [rows, columns], column-major.

        encoded: all numbers of the feature, [rows, encoded names].
        """
        places = [*self.levels(column).values()]
        if places == [*range(encoded.shape[1])]:
            return encoded
        numbers = np.empty((len(encoded), len(places)), order="F")
        for index, place in enumerate(places):
            if place is not None:
                numbers[:, index] = encoded[:, place]
                continue
            # Exact: at most one of the others is 1. NaN where the value is refused.
            numbers[:, index] = 1.0
            for other in self.places(column):
                numbers[:, index] -= encoded[:, other]
        return numbers
