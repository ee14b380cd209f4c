"""What the kinds of columns have in common: a column, learnt, turns values into numbers."""

from abc import abstractmethod
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Values: TypeAlias = pa.Array | pa.ChunkedArray
"""The values of a column [rows]: float64 or float32, NaN for a gap; string, "" for a gap; date32 or
timestamp[s], null for a gap."""
Bools = NDArray[np.bool_]
Times = NDArray[np.int64]
"""How many equal rows each row stands for, at least 1: [rows]."""


class EmptyColumnError(Exception):
    """A column that is missing in every training row."""


def added(places: NDArray[np.integer[Any]], times: Times, size: int) -> list[int]:
    """Return the sum of the times at each place below `size`. places: [rows]."""
    sums = np.zeros(size, np.int64)
    np.add.at(sums, places, times)
    return sums.tolist()


class LearntColumn(BaseModel):
    """A column of the table with what was learnt of it from the training rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    arrow_types: ClassVar[tuple[pa.DataType, ...]]
    """The types of its values in data/train.parquet."""

    name: str
    missing_rows: int
    """Training rows in which the value is missing."""

    @property
    @abstractmethod
    def encoded_names(self) -> tuple[str, ...]:
        """The names of the numbers that the model gets for the column; may be none."""

    @property
    @abstractmethod
    def takes_gaps(self) -> bool:
        """True if a missing value has an answer."""

    @abstractmethod
    def encode(self, values: Values, out: NDArray[np.float64]) -> Bools:
        """Write the numbers of `values` into `out`, [rows, encoded names], column-major.

        Returns True for each row whose value the plan refuses: [rows]. Its numbers are NaN.
        """

    @abstractmethod
    def in_range(self, values: Values) -> Bools:
        """Return True for each row whose value is like the training rows': [rows].

        A number or a date lies between their smallest and their largest, a level is one of theirs,
        a gap is where they had gaps too.
        """
