"""Rows and answers of a model as files, for the tests."""

from pathlib import Path
from typing import Any

import abline_client
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from pipeline.report import answers
from pipeline.report.answers import AnsweredRows
from pipeline.settings.column_settings import NumberSettings
from pipeline.settings.sections import Read
from pipeline.tables import raw_table


def answered(models: Path, rows: Path, out: Path, keep: bool = False) -> AnsweredRows:
    """Write the answers of the model in the folder `models` to `rows`."""
    return answered_by(abline_client.load(models), rows, out, keep)


def answered_by(
    model: abline_client.Model, rows: Path, out: Path, keep: bool = False
) -> AnsweredRows:
    """Write the answers of `model` to `rows`."""
    columns = {name: NumberSettings(kind="number") for name in model.features}
    raw = raw_table.rows_to_answer(rows, columns, Read.usual(), keep)
    return answers.write(model, raw, out, keep)


def write(path: Path, **columns: Any) -> Path:
    """Write a CSV or Parquet file with these columns."""
    table = pa.table(columns)
    pq.write_table(table, path) if path.suffix == ".parquet" else pa.csv.write_csv(table, path)
    return path


def read(path: Path) -> pa.Table:
    """Read a CSV or Parquet file."""
    return pq.read_table(path) if path.suffix == ".parquet" else pa.csv.read_csv(path)
