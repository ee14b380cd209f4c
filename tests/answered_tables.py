"""Rows and answers of a model as files, for the tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import abline_client
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from pipeline.answers import answers, rows_to_answer
from pipeline.answers.answered_rows import AnsweredRows


def answered(models: Path, rows: Path, out: Path, **options: Any) -> AnsweredRows:
    """Write the answers of the model in the folder `models` to `rows`."""
    return answered_by(abline_client.load(models), rows, out, **options)


def answered_by(
    model: abline_client.Model,
    rows: Path,
    out: Path,
    keep: bool = False,
    strict: bool = False,
    read: Sequence[str] = (),
) -> AnsweredRows:
    """Write the answers of `model` to `rows`."""
    raw = rows_to_answer.opened(model, rows, read, keep)
    return answers.write(model, raw, out, keep, strict)


def write(path: Path, **columns: Any) -> Path:
    """Write a CSV or Parquet file with these columns."""
    table = pa.table(columns)
    pq.write_table(table, path) if path.suffix == ".parquet" else pa.csv.write_csv(table, path)
    return path


def read(path: Path) -> pa.Table:
    """Read a CSV or Parquet file."""
    return pq.read_table(path) if path.suffix == ".parquet" else pa.csv.read_csv(path)
