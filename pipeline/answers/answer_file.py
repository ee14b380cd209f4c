"""The file of answers that `predict` writes: answers alone, or after the columns of their rows."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
from abline_client import Model

from pipeline.settings import csv_cells
from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.tables import raw_files, table
from pipeline.tables.column_names import same_name
from pipeline.tables.raw_file import Block
from pipeline.tables.raw_table import RawTable

Append = Callable[[pa.Table, Block], None]
"""Appends the answers to the rows of a block."""


def check_path(out: Path, rows: Path) -> None:
    """Raise UserError if the answers cannot be written to `out`, or would replace the rows."""
    suffixes = (".csv", *raw_files.PARQUET)
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise UserError(
            f"--out: {show(str(out))} is a pipe or a device, and the answers replace a file as a"
            f" whole; must be a file that ends with {', '.join(suffixes)}"
        )
    if out.suffix.lower() not in suffixes:
        raise UserError(f"--out: found {show(str(out))}; must end with {', '.join(suffixes)}")
    if out.is_dir():
        raise UserError(f"--out: {show(str(out))} is a folder; must be a file")
    if out.exists() and rows.exists() and out.samefile(rows):
        raise UserError(f"--out: found {show(str(out))}, the rows themselves; name another file")


def link_note(out: Path) -> list[str]:
    """Return a line for stderr if `out` is a link, which the file of answers will replace."""
    if not out.is_symlink():
        return []
    target = out.readlink()
    linked = out.parent / target
    is_itself = linked.parent.resolve() / linked.name == out.parent.resolve() / out.name
    unchanged = "" if is_itself else f"; {target} is unchanged"
    return [f"note: {out} was a link to {target}, and is a file now{unchanged}"]


def columns(model: Model) -> Mapping[str, tuple[str, int, pa.DataType]]:
    """Return the columns of answers by their names: the model's output, its column, its type.

    Raises UserError if two columns would have one name.
    """
    columns: dict[str, tuple[str, int, pa.DataType]] = {}

    def add(name: str, output: Mapping[str, Any], index: int) -> None:
        if name in columns:
            raise UserError(
                f"the answers would have two columns {show(name)}; rename the target and make the"
                " model again"
            )
        columns[name] = output["name"], index, pa.type_for_alias(output["dtype"])

    meanings = {"prediction": "", "low": " low 95%", "high": " high 95%"}
    outputs = model.contract["outputs"]
    # All targets are in one output, or each is in one of its own.
    by_meaning: dict[str, list[tuple[Mapping[str, Any], int]]] = {}
    for each in outputs:
        by_meaning.setdefault(each["meaning"], []).extend(
            (each, column) for column in range(len(each["targets"]))
        )
    for index, target in enumerate(model.targets):
        for meaning, suffix in meanings.items():
            if meaning in by_meaning:
                add(target + suffix, *by_meaning[meaning][index])
    for each in outputs:
        if each["meaning"] == "in_range":
            add("in_range", each, 0)
    return columns


@contextmanager
def alone(path: Path, suffix: str, schema: pa.Schema) -> Iterator[Append]:
    """Write the answers and nothing else. suffix: .csv, or one of Parquet's."""
    if suffix == ".csv" and len(schema) == 1:
        with path.open("wb") as file:
            file.write(_line(",", csv_cells.safe(schema.names)))
            yield lambda answers, _: _write_lines(file, answers)
        return
    with _arrow(path, suffix, schema) as writer:
        yield lambda answers, _: writer.write(answers)


@contextmanager
def beside(path: Path, suffix: str, schema: pa.Schema, rows: RawTable) -> Iterator[Append]:
    """Write all columns of the rows, unchanged, with the answers after them.

    From CSV to CSV the text of each record is copied, in UTF-8, whatever it contains; the answers
    have its decimal mark.
    Raises UserError for names that occur twice, and for columns that the kind of file cannot hold.
    """
    _check_names(rows, schema.names, suffix)
    heading = rows.heading
    if suffix == ".csv" and heading is not None:
        separator = heading.separator
        names = heading.text or _line(separator, heading.names).rstrip(b"\n")
        decimal = rows.dialect.decimal if separator != "," else "."
        with path.open("wb") as file:
            file.write(names + separator.encode() + _line(separator, csv_cells.safe(schema.names)))
            yield lambda answers, block: _write_records(file, separator, decimal, answers, block)
        return
    whole = pa.schema([*rows.schema, *schema], metadata=rows.schema.metadata)
    with _arrow(path, suffix, whole) as writer:

        def append(answers: pa.Table, block: Block) -> None:
            try:
                columns = block.columns().columns
            except pa.ArrowInvalid:  # of a CSV file only
                raise UserError(
                    f"{rows.paths[0]}: found bytes that are not UTF-8, which Parquet's text must"
                    " be; save the file as UTF-8, or write the answers as .csv"
                ) from None
            writer.write(pa.Table.from_arrays([*columns, *answers.columns], schema=whole))

        yield append


def _line(separator: str, fields: Sequence[str]) -> bytes:
    """Return fields as a line."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(fields)
    return text.getvalue().encode()


def _text(separator: str, answers: pa.Table) -> bytes:
    """Return a line for each row of answers."""
    text = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=separator)
    pyarrow.csv.write_csv(answers, text, options)
    written: bytes = text.getvalue().to_pybytes()
    return written


def _write_lines(file: io.BufferedWriter, answers: pa.Table) -> None:
    """Append the lines of answers that have one column."""
    text = _text(",", answers)
    if answers.column(0).null_count:
        # Readers skip an empty line, and the answers below it would move up by a row.
        text = b"".join(line if line != b"\n" else b'""\n' for line in text.splitlines(True))
    file.write(text)


def _write_records(
    file: io.BufferedWriter, separator: str, decimal: str, answers: pa.Table, block: Block
) -> None:
    """Append the text of the block's rows, each with its answers at the end."""
    between = separator.encode()
    ends = _text(separator, answers).splitlines(keepends=True)
    if decimal != ".":
        # Numbers and truth values have no other point.
        ends = [end.replace(b".", decimal.encode()) for end in ends]
    records = zip(block.records(), ends, strict=True)
    file.write(b"".join([record + between + end for record, end in records]))


def _check_names(rows: RawTable, answers: Sequence[str], suffix: str) -> None:
    """Raise UserError with all names that would occur twice."""
    names = [same_name(name) for name in rows.schema.names]
    shared = [name for name in answers if same_name(name) in names]
    if shared:
        raise UserError(
            f"{rows.paths[0]}: found {', '.join(map(show, shared))}, which would also be the name"
            f" of an answer; rename {'it' if len(shared) == 1 else 'them'} there, such as"
            f" {show(f'{shared[0]} measured')}, or leave out --keep"
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated and suffix != ".csv":
        raise UserError(
            f"{rows.paths[0]}: found {', '.join(map(show, repeated))} more than once, which Parquet"
            " does not allow; rename all but one, or write the answers as .csv"
        )


@contextmanager
def _arrow(path: Path, suffix: str, schema: pa.Schema) -> Iterator[Any]:
    """Open a file to which Arrow's `write` appends tables."""
    if suffix in raw_files.PARQUET:
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
    csv_cells.write_csv(path, schema.names, [])
    options = pyarrow.csv.WriteOptions(include_header=False)
    with (
        path.open("ab") as file,
        pyarrow.csv.CSVWriter(file, schema, write_options=options) as text,
    ):
        yield text
