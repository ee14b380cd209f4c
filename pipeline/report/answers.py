"""Answers of a model.onnx to the rows of a table, block by block, and notes about them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from abline_client import Model
from numpy.typing import NDArray

from pipeline.report import answer_file
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, show
from pipeline.tables import table
from pipeline.tables.raw_table import RawTable

MOST_COLUMNS_SHOWN = 5


class AnsweredRows:
    """Counts of the rows that were answered, and the notes to print about them.

    rows: all rows. outside: rows outside the training range. overflowed: rows with an infinite
    answer. rounded: True if a number was rounded to the model's precision.
    """

    def __init__(self, model: Model, table: RawTable) -> None:
        self.rows = self.outside = self.overflowed = 0
        self.rounded = False
        entry = model.contract["input"]
        self._names, self._dtype, self._path = model.features, model.dtype, table.paths[0]
        self._low = np.array([feature["min"] for feature in entry["features"]])
        self._high = np.array([feature["max"] for feature in entry["features"]])
        self._outside_by_feature = np.zeros(len(model.features), np.int64)
        self._is_exact = self._dtype == np.float64 or set(table.float32) == set(model.features)

    def model_input(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Count a block of rows, and return it as the model takes it: [rows, features].

        values: [rows, features], column-major and finite.
        Raises UserError for a number that is too large for the model's precision.
        """
        x = np.empty(values.shape, self._dtype)
        outside: NDArray[np.bool_] | None = None
        for index, column in enumerate(values.T):
            with np.errstate(over="ignore"):
                x[:, index] = column
                smallest, largest = np.array([column.min(), column.max()]).astype(self._dtype)
            if not self._is_exact and not self.rounded:
                self.rounded = not np.array_equal(x[:, index], column)
            if not (np.isfinite(smallest) and np.isfinite(largest)):
                row = int(np.argmax(~np.isfinite(x[:, index])))
                raise UserError(
                    f"{self._path}: row {self.rows + row + 1} has {show(self._names[index])} ="
                    f" {column[row]:g}, too large for {self._dtype}, which the model takes; correct"
                    " the number, or remove the row"
                )
            if smallest < self._low[index] or largest > self._high[index]:
                is_outside = (x[:, index] < self._low[index]) | (x[:, index] > self._high[index])
                self._outside_by_feature[index] += np.count_nonzero(is_outside)
                outside = is_outside if outside is None else outside | is_outside
        self.rows += len(x)
        self.outside += 0 if outside is None else int(np.count_nonzero(outside))
        return x

    def notes(self) -> Iterator[str]:
        """Yield the lines for stderr."""
        if self.rounded:
            yield f"note: the model takes {self._dtype}: each number was rounded to it, once"
        if self.overflowed:
            yield (
                f"warning: the answers to {count(self.overflowed, 'row', ',')} are too large for"
                f" {self._dtype}, and are written as infinite"
            )
        if self.outside:
            counts = self._outside_by_feature
            worst = np.argsort(-counts, kind="stable")[:MOST_COLUMNS_SHOWN]
            shown = [f"{self._names[i]} ({counts[i]:,})" for i in worst if counts[i]]
            yield (
                f"warning: {self.outside:,} of {count(self.rows, 'row', ',')} lie outside the"
                " training range, where the error of the answers is unknown:"
                f" {', '.join(shown)}"
            )


def write(model: Model, rows: RawTable, out: Path, keep: bool = False) -> AnsweredRows:
    """Write the answers to `rows` into the file `out`, whole or not at all.

    keep: also write all columns of the rows, before the answers.
    Raises UserError for rows that the model cannot answer.
    """
    answered = AnsweredRows(model, rows)
    columns = answer_file.columns(model)
    schema = pa.schema([(name, kind) for name, (_, _, kind) in columns.items()])
    with ExitStack() as opened:
        # A link is replaced, not followed: it may lead into DVC's cache, to a file of a commit.
        partial = opened.enter_context(files.whole(out))
        suffix = out.suffix.lower()
        append = opened.enter_context(
            answer_file.beside(partial, suffix, schema, rows)
            if keep
            else answer_file.alone(partial, suffix, schema)
        )
        for block in rows.blocks():
            if not len(block.values):
                continue
            outputs = model.answers(answered.model_input(block.values), check=False)
            finite = np.logical_and.reduce([np.isfinite(y).all(axis=1) for y in outputs.values()])
            answered.overflowed += len(finite) - int(np.count_nonzero(finite))
            arrays = [table.array(outputs[o][:, i], kind) for o, i, kind in columns.values()]
            append(pa.Table.from_arrays(arrays, schema=schema), block)
    return answered
