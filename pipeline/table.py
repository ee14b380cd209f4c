"""Tables: named columns of numbers, read from and written to Parquet."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline import UserError, files, mistakes

ROW_GROUP = 65_536


@dataclass(frozen=True)
class Table:
    """Columns of float64 numbers.

    names: the columns' names, in order.
    values: [rows, columns], column-major, so that each column is contiguous.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The columns called `names`, in that order: [rows, len(names)], column-major."""
        return np.asfortranarray(self.values[:, [self.names.index(name) for name in names]])

    def features(self, targets: Sequence[str]) -> tuple[str, ...]:
        """The names of the columns that are not targets, in order."""
        return tuple(name for name in self.names if name not in targets)

    def roundoff(self, names: Sequence[str]) -> list[float]:
        """The unit roundoff of each column's source: 2⁻²⁴ if that was float32, else 2⁻⁵³."""
        return [2.0**-24 if name in self.float32 else 2.0**-53 for name in names]


def write(path: Path, table: Table) -> None:
    """Write `table` as Parquet. The same numbers give the same bytes on every machine."""
    # Not pa.array: it imports pandas, a quarter of a second.
    columns = [
        pa.Array.from_buffers(
            pa.float64(), len(column), [None, pa.py_buffer(np.ascontiguousarray(column, float))]
        )
        for column in table.values.T
    ]
    arrow = pa.table(columns, names=list(table.names))
    with files.whole(path) as partial:
        # Neither compression nor dictionaries: full-precision numbers gain nothing by them, and
        # what a compressor makes of a block may depend on its build.
        pq.write_table(
            arrow, partial, row_group_size=ROW_GROUP, compression="NONE", use_dictionary=False
        )


def read(path: Path) -> Table:
    """Read a table written by `write`. Raises UserError if the file is missing or damaged."""
    try:
        # Not pq.read_table: it imports pandas too.
        with pq.ParquetFile(path, memory_map=True) as file:
            arrow = file.read()
        values = np.empty((arrow.num_rows, arrow.num_columns), order="F")
        for index, column in enumerate(arrow.columns):
            # Not to_numpy: it imports pandas as well.
            np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks], out=values[:, index])
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except pa.ArrowException as error:
        raise UserError(
            f"{path}: not a readable Parquet file ({error}); `dvc repro -f` makes it anew"
        ) from None
    return Table(tuple(arrow.column_names), values)


def queries(rows: Sequence[Sequence[float]], features: Sequence[str]) -> NDArray[np.float64]:
    """evaluate.queries as [queries, features].

    Raises UserError if one has another number of values; params.yaml alone cannot tell where the
    features come from a file.
    """
    for index, row in enumerate(rows):
        if len(row) != len(features):
            raise UserError(
                f"evaluate.queries[{index}]: found {mistakes.count(len(row), 'number')}; must be"
                f" {len(features)}, one for each feature ({', '.join(features)}), or"
                " evaluate.queries must be []"
            )
    return np.array(rows, dtype=np.float64).reshape(-1, len(features))
