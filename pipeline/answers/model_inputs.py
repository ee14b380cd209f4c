"""Columns of typed rows as a model takes them, and the rows that it refuses or was not trained for.

A file may refuse a row by answering NaN; here is the reason, from the contract.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from pipeline.columns import date
from pipeline.onnx_model.text_codes import OTHER
from pipeline.tables.table import one_chunk

Bools = NDArray[np.bool_]
MISSING = "is missing"
"""The reason for a gap where the model takes none."""


@dataclass(frozen=True)
class Converted:
    """A column of a block.

    values: as the model takes them, [rows]. outside: True for each value that is not like the
    training rows': [rows]; None if there is none.
    refused: True for each value that the model refuses, [rows], by the reason.
    """

    values: NDArray[Any]
    outside: Bools | None = None
    refused: Mapping[str, Bools] = field(default_factory=dict)


class ModelInput(ABC):
    """A column. wrong: the reason for a value that is not of its kind."""

    wrong: str

    @abstractmethod
    def convert(self, values: pa.ChunkedArray) -> Converted:
        """Return a column of typed rows as the model takes it. values: see RawTable.row_schema."""


class NumberInput(ModelInput):
    """A column of numbers. entry: from the contract, of either version. dtype: of the model."""

    wrong = "is no finite number"

    def __init__(self, entry: Mapping[str, Any], dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._low, self._high = dtype.type(entry["min"]), dtype.type(entry["max"])
        self._is_filled = entry.get("fill") is not None
        self._gap_is_outside = not entry.get("missing_rows")
        # Of these the model takes the logarithm or the square root.
        self._above, self._least = entry.get("above"), entry.get("at_least")
        self.has_rounded = False
        """True if a number was rounded to the model's dtype."""

    def convert(self, values: pa.ChunkedArray) -> Converted:
        """See ModelInput.convert."""
        column = numbers(values)
        with np.errstate(over="ignore"):
            x = column.astype(self._dtype, copy=False)
        if not len(x):
            return Converted(x)
        # NaN in the column makes both NaN, and every comparison false.
        if x.min() >= self._low and x.max() <= self._high:
            self._note_rounding(x, column)
            return Converted(x)
        refused = {}
        gaps = np.isnan(x)
        infinite = np.isinf(x)
        self._note_rounding(x[~gaps & ~infinite], column[~gaps & ~infinite])
        outside: Bools = ~gaps & ((x < self._low) | (x > self._high))
        if gaps.any():
            if not self._is_filled:
                refused[MISSING] = gaps
            elif self._gap_is_outside:
                outside |= gaps
        if infinite.any():
            refused[f"is too large for {self._dtype}"] = infinite
        if self._above is not None and (wrong := x <= self._above).any():
            refused[f"is not above {self._above:g}, so it has no logarithm"] = wrong
        if self._least is not None and (wrong := x < self._least).any():
            refused[f"is below {self._least:g}, so it has no square root"] = wrong
        return Converted(x, outside if outside.any() else None, refused)

    def _note_rounding(self, x: NDArray[Any], column: NDArray[Any]) -> None:
        if not self.has_rounded and x.dtype != column.dtype:
            self.has_rounded = not np.array_equal(x, column)


class CategoryInput(ModelInput):
    """A column of categories. codes: of the texts, if the model takes them in place of texts."""

    wrong = "is no text"

    def __init__(self, entry: Mapping[str, Any], codes: Mapping[str, int] | None) -> None:
        rows = {level["name"]: level["rows"] for level in entry["levels"]}
        self._texts = pa.array([*rows, ""], pa.string())
        self._gap = len(rows)
        self._codes: NDArray[np.int32] | None = None
        if codes is not None:
            # The last one is at index −1, too, of texts that are no level.
            known = [codes.get(text, OTHER) for text in (*rows, "")]
            self._codes = np.array([*known, OTHER], np.int32)
        self._takes_gaps, self._unseen = entry["has_missing"], entry["unseen"]
        unseen_rows = entry["rare_rows"] if self._unseen == "rare" else 0
        gap_rows = entry["missing_rows"] if self._takes_gaps else 0
        self._is_outside = np.array([*rows.values(), gap_rows, unseen_rows]) == 0

    def convert(self, values: pa.ChunkedArray) -> Converted:
        """See ModelInput.convert."""
        places = one_chunk(compute.index_in(values, value_set=self._texts).fill_null(-1))
        index = np.from_dlpack(places)
        if self._codes is not None:
            x: NDArray[Any] = self._codes[index]
        else:
            x = np.fromiter(values.to_pylist(), object, len(values))
        refused = {}
        if not self._takes_gaps and (gaps := index == self._gap).any():
            refused[MISSING] = gaps
        if self._unseen == "refuse" and (unseen := index < 0).any():
            refused["has a level that no training row has"] = unseen
        outside: Bools = self._is_outside[index]
        return Converted(x, outside if outside.any() else None, refused)


class DateInput(ModelInput):
    """A column of dates."""

    wrong = "is no date"

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self._unit = entry["unit"]
        self._levels: Mapping[Any, Sequence[int]] = entry["levels"]
        self._low, self._high = entry["min"], entry["max"]

    def convert(self, values: pa.ChunkedArray) -> Converted:
        """See ModelInput.convert."""
        x = date.integers(values, self._unit)
        refused = {}
        if (gaps := x == date.GAP).any():
            refused[MISSING] = gaps
        known = np.where(gaps, self._low, x)
        for part, levels in self._levels.items():
            unseen = ~np.isin(date.part_of(known, part, self._unit), levels)
            if unseen.any():
                refused[f"has a {part} that no training row has"] = unseen
        outside: Bools = (known < self._low) | (known > self._high)
        return Converted(x, outside if outside.any() else None, refused)


def numbers(values: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column of numbers, in its own precision: [rows]; NaN for a gap."""
    column: NDArray[Any] = np.from_dlpack(one_chunk(values))
    return column
