"""Squared errors of two models on the same held-out rows, block by block.

Each model is asked by its own ONNX file, from its own copy of the rows, which has the columns that
it was made with. So results of different features, kinds of columns or versions of the code can be
compared, as long as they hold out the same rows.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from abline_client import ContractError, Model, load
from numpy.typing import NDArray

from pipeline.answers import answers
from pipeline.answers.answered_rows import inputs_of
from pipeline.measures.paired_difference import DifferenceSums, PairedDifference
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.keys.weight_settings import Weights
from pipeline.settings.messages import first_of, show
from pipeline.tables import row_groups, table

ROWS_AT_A_TIME = 65_536
ALL_TARGETS = ""
"""Key of the difference of the mean over all targets, as metrics.json has it."""


@dataclass(frozen=True)
class HeldOut:
    """The held-out rows of a result. rows: their number."""

    path: Path
    rows: int
    skipped: int = 0
    """Rows of the file before them."""

    def blocks(self) -> Iterator[pa.Table]:
        """Yield typed rows, ROWS_AT_A_TIME at a time."""
        if self.skipped:
            rows = table.read_arrow(self.path).slice(self.skipped)
            for begin in range(0, rows.num_rows, ROWS_AT_A_TIME):
                yield rows.slice(begin, ROWS_AT_A_TIME)
            return
        with row_groups.opened(self.path) as file:
            groups = range(file.metadata.num_row_groups)
            yield from row_groups.read(file, groups, ROWS_AT_A_TIME)


def held_out(folder: Path) -> HeldOut:
    """Return the held-out rows of the result in a folder.

    If the rows were left where they are (data.keep_rows), those that the sample has.
    """
    rows = sum(row_groups.sizes_in(folder / files.TEST))
    if rows:
        return HeldOut(folder / files.TEST, rows)
    counts = json.loads((folder / files.SUMMARY).read_bytes())["sample"]
    return HeldOut(folder / files.SAMPLE, counts["test"], counts["train"] + counts["extreme"])


def paired(first: Path, other: Path) -> Mapping[str, PairedDifference]:
    """Return the paired difference for each target, and for all of them under ALL_TARGETS.

    first, other: folders with the files of two results of the same targets. If one holds out more
    rows, because its table has grown, the rows that both hold out are compared: see `Division`.
    Raises UserError if they hold out other rows, or if a model cannot be opened or cannot answer.
    """
    tables = held_out(first), held_out(other)
    if not tables[0].rows or not tables[1].rows:
        raise UserError("no row is held out; set data.test_fraction, such as to 0.2")
    weights = _weights(first)
    if weights != _weights(other):
        raise UserError("they weigh the rows by other columns, or in another way (data.weights)")
    sums: dict[str, DifferenceSums] = {}
    with ExitStack() as opened:
        squares = [opened.enter_context(_squared_errors(folder)) for folder in (first, other)]
        for a, b in zip(tables[0].blocks(), tables[1].blocks(), strict=False):
            common = min(a.num_rows, b.num_rows)
            a, b = a.slice(0, common), b.slice(0, common)
            _check_same(a, b)
            before, after = squares[0](a), squares[1](b)
            own = None if weights is None else _numbers(a, weights.by)
            for target in before:
                known = sums.setdefault(target, DifferenceSums(weights))
                known.add(before[target], after[target], own)
            mean, other_mean = (sum(each.values()) / len(each) for each in (before, after))
            sums.setdefault(ALL_TARGETS, DifferenceSums(weights)).add(mean, other_mean, own)
    return {target: each.result() for target, each in sums.items()}


def _weights(folder: Path) -> Weights | None:
    """Return what the weights of the rows of a result are, if they have weights."""
    columns = folder / files.COLUMNS
    found = json.loads(columns.read_bytes()).get("weights") if columns.exists() else None
    return None if found is None else Weights(**found)


@contextmanager
def _squared_errors(folder: Path) -> Iterator[Any]:
    """Open the model in a folder: a function from typed rows to squared errors by target, [rows].

    Raises UserError if the model cannot be opened.
    """
    try:
        model = load(folder / files.ONNX.parent)
    except ContractError as error:
        raise UserError(str(error).replace(f"{folder}/", "")) from None
    with answers.answering(model) as (answer, coded):
        inputs = inputs_of(model, coded)

        def squared_errors(rows: pa.Table) -> dict[str, NDArray[np.float64]]:
            feed = {name: each.convert(rows.column(name)).values for name, each in inputs.items()}
            outputs = answer(feed)
            return {
                target: (predicted - _numbers(rows, target)) ** 2
                for target, predicted in _predictions(model, outputs).items()
            }

        yield squared_errors


def _predictions(model: Model, outputs: answers.Outputs) -> dict[str, NDArray[np.float64]]:
    """Return the predictions by target, [rows]. Raises UserError if one is no finite number."""
    predictions = {
        target: outputs[output["name"]][:, index].astype(np.float64)
        for output in model.contract["outputs"]
        if output["meaning"] == "prediction"
        for index, target in enumerate(output["targets"])
    }
    if not all(math.isfinite(values.sum()) for values in predictions.values()):
        raise UserError("one of the models does not answer each of the rows by a finite number")
    return predictions


def _numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    values = np.empty(rows.num_rows)
    table.put_numbers(rows.column(name), values)
    return values


def _check_same(first: pa.Table, other: pa.Table) -> None:
    """Raise UserError if two blocks have other values in a column that both have."""
    different = [
        name
        for name in first.column_names
        if name in other.column_names and not _are_equal(first.column(name), other.column(name))
    ]
    if different:
        raise UserError(
            f"they hold out other rows: the values of {first_of([*map(show, different)], 3)} differ"
        )


def _are_equal(first: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Return True if two columns are equal, or of two kinds, which cannot be compared."""
    if pa.types.is_floating(first.type) and pa.types.is_floating(other.type):
        a, b = (table.one_chunk(each).to_numpy(zero_copy_only=False) for each in (first, other))
        return bool(np.array_equal(a, b, equal_nan=True))
    return first.type != other.type or bool(first.equals(other))
