"""The file of answers that `predict` writes: alone, or beside the columns that were answered."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
from abline_client import Model

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.tables import raw, table
from pipeline.tables.source import Source
from pipeline.tables.table import Block, same_name

Write = Callable[[pa.Table, Block], None]
"""Append the answers to the rows of a block."""


def columns(model: Model) -> Mapping[str, tuple[str, int, pa.DataType]]:
    """The columns of answers by their names: an output, which column of it, its type.

    Raises UserError if two would have one name.
    """
    found: dict[str, tuple[str, int, pa.DataType]] = {}

    def add(name: str, output: Mapping[str, Any], index: int) -> None:
        if name in found:
            raise UserError(
                f"the answers would have two columns {show(name)}; rename the target and make the"
                " model anew"
            )
        found[name] = output["name"], index, pa.type_for_alias(output["dtype"])

    meanings = {"prediction": "", "low": " low 95%", "high": " high 95%"}
    numbers = [each for each in model.contract["outputs"] if each["meaning"] in meanings]
    for index, target in enumerate(model.targets):
        for each in numbers:
            add(target + meanings[each["meaning"]], each, index)
    for each in model.contract["outputs"]:
        if each["meaning"] == "in_range":
            add("in_range", each, 0)
    return found


@contextmanager
def alone(path: Path, kind: str, schema: pa.Schema) -> Iterator[Write]:
    """Write the answers and nothing else. kind: .csv, or one of Parquet's."""
    with _arrow(path, kind, schema) as writer:
        yield lambda answers, _: writer.write(answers)


@contextmanager
def beside(path: Path, kind: str, schema: pa.Schema, rows: Source) -> Iterator[Write]:
    """Write all columns of the rows, as they are, with the answers after them.

    From CSV to CSV the text of each record is written as it is, whatever is in it.
    Raises UserError for names that are there twice, and for columns that the kind of file cannot
    hold.
    """
    _check_names(rows, schema.names, kind)
    heading = rows.heading
    if kind == ".csv" and heading is not None:
        separator = heading.separator
        head = heading.text + _line(separator, files.safe(schema.names))
        with path.open("wb") as file:
            file.write(head)
            yield lambda answers, block: _write_records(file, separator, answers, block)
        return
    kept = rows.kept
    whole = pa.schema([*kept, *schema], metadata=kept.metadata)
    with _arrow(path, kind, whole) as writer:

        def write(answers: pa.Table, block: Block) -> None:
            try:
                there = block.columns().columns
            except pa.ArrowInvalid:  # of a CSV file only
                raise UserError(
                    f"{rows.files[0]}: found bytes that are not UTF-8, which Parquet's text must"
                    " be; save the file as UTF-8, or write the answers as .csv"
                ) from None
            writer.write(pa.Table.from_arrays([*there, *answers.columns], schema=whole))

        yield write


def _line(separator: str, fields: Sequence[str]) -> bytes:
    """A separator and fields as the end of a line."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(fields)
    return (separator + text.getvalue()).encode()


def _write_records(
    file: io.BufferedWriter, separator: str, answers: pa.Table, block: Block
) -> None:
    text = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=separator)
    pyarrow.csv.write_csv(answers, text, options)
    ends = text.getvalue().to_pybytes().splitlines(keepends=True)
    between = separator.encode()
    records = zip(block.records(), ends, strict=True)
    file.write(b"".join([record + between + end for record, end in records]))


def _check_names(rows: Source, answers: Sequence[str], kind: str) -> None:
    """Raises UserError with all names that would be there twice."""
    names = [same_name(name) for name in rows.kept.names]
    twice = [name for name in answers if same_name(name) in names]
    if twice:
        raise UserError(
            f"{rows.files[0]}: found {', '.join(map(show, twice))}, which the answers would be"
            f" called, too; rename {'it' if len(twice) == 1 else 'them'} there, such as"
            f" {show(f'{twice[0]} measured')}, or leave out --keep"
        )
    again = sorted({name for name in names if names.count(name) > 1}) if kind != ".csv" else []
    if again:
        raise UserError(
            f"{rows.files[0]}: found {', '.join(map(show, again))} more than once, which Parquet"
            " does not take; rename all but one, or write the answers as .csv"
        )


@contextmanager
def _arrow(path: Path, kind: str, schema: pa.Schema) -> Iterator[Any]:
    """A file of Arrow's that grows by tables, with a method `write`."""
    if kind.lower() in raw.PARQUET:
        with table.parquet(path, schema) as parquet:
            yield parquet
        return
    try:
        pyarrow.csv.write_csv(schema.empty_table(), pa.BufferOutputStream())
    except pa.ArrowInvalid as error:
        raise UserError(
            f"the rows have a column that CSV cannot hold ({error}); write the answers as .parquet"
        ) from None
    # Arrow would put quotes around every name.
    files.write_csv(path, schema.names, [])
    options = pyarrow.csv.WriteOptions(include_header=False)
    with (
        path.open("ab") as file,
        pyarrow.csv.CSVWriter(file, schema, write_options=options) as text,
    ):
        yield text
