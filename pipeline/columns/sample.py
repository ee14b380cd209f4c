"""The sample of a table, data/sample.parquet: rows to try an ONNX file on, and to draw."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.columns.plan import Plan
from pipeline.columns.summary import Summary
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import table

CURE = "`dvc repro -f generate` makes the files of data/ again"


@dataclass(frozen=True)
class Sample:
    """Typed rows: those that the seed chose of each side, and the extreme ones.

    training: the training rows that were drawn, then those with the smallest or the largest value
    of a column that were not drawn; all training rows, in their order, if they are few.
    drawn: number of the rows that were drawn. test: the test rows that were drawn.
    """

    training: pa.Table
    drawn: int
    test: pa.Table


def read_sample(
    summary: Summary, plan: Plan, targets: Sequence[str], path: Path = files.SAMPLE
) -> Sample:
    """Read data/sample.parquet.

    Raises UserError if it is missing or damaged, or does not belong to the summary.
    """
    known = f"{files.COLUMNS} and data.targets name"
    if (*summary.features, *summary.targets) != (*plan.encoded_names, *targets):
        raise UserError(f"{files.SUMMARY}: it has other columns than {known}; {CURE}")
    rows = table.read_arrow(path)
    if missing := [name for name in (*plan.features, *targets) if name not in rows.column_names]:
        raise UserError(f"{path}: it has no column {', '.join(missing)}, which {known}; {CURE}")
    counts = summary.sample
    if rows.num_rows != sum(astuple(counts)):
        raise UserError(
            f"{path}: found {rows.num_rows:,} rows, but {files.SUMMARY} says"
            f" {sum(astuple(counts)):,}; {CURE}"
        )
    training = counts.train + counts.extreme
    return Sample(rows.slice(0, training), counts.train, rows.slice(training))
