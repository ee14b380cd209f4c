"""Sums of rows, as data/summary.json has them, and the tables that they are of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.part import Part
from pipeline.columns.plan import Plan
from pipeline.compute import own_rows, written
from pipeline.compute.draws import DrawnFolds, Side
from pipeline.exact.gram_sums import gram_matrix
from pipeline.settings import files
from pipeline.tables import source_numbers, table


def part_of(numbers: NDArray[np.float64]) -> Part:
    """Return the sums of rows: [rows, columns]."""
    smallest, largest = numbers.min(axis=0).tolist(), numbers.max(axis=0).tolist()
    return Part(tuple(smallest), tuple(largest), gram_matrix(numbers))


def put_tables(train: pa.Table, test: pa.Table, plan: Plan, targets: Sequence[str]) -> None:
    """Write what `generate` writes of these typed rows into the working directory."""
    paths: dict[Side, Path] = {"train": files.TRAIN, "test": files.TEST}
    files.TRAIN.parent.mkdir(parents=True, exist_ok=True)
    for path, rows in zip(paths.values(), (train, test), strict=True):
        with table.writer(path, rows.schema) as file:
            file.write(rows)
    for made, path in ((train, files.SOURCE_ROWS), (test, files.SOURCE_ROWS_TEST)):
        with source_numbers.writer([""], path) as numbers:
            for block in source_numbers.of_made([made]):
                rows = block.with_numbers.column(source_numbers.COLUMN)
                numbers.write(rows, block.path)
    files.write_json(files.COLUMNS, plan.model_dump(mode="json"))
    partial, layout = own_rows.summarized(
        paths, plan, tuple(targets), seed=0, folds=DrawnFolds(0, 5)
    )
    written.write(partial, layout, train.schema)
