"""A user's table as it comes: files of several kinds, read in blocks of typed rows.

No value is invented or lost: rows keep the order of the files, the files of a glob the order of
their names; every number is the one in the file (an integer that float64 cannot represent is
refused); a value that is infinite or not of its column's kind is refused with its place, and so is
a gap for which the settings have no policy. csv_file.py says what a CSV file may look like.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.settings import term_settings
from pipeline.settings.errors import UserError
from pipeline.settings.files import RAW
from pipeline.settings.keys.column_settings import (
    ColumnSettings,
    NumberSettings,
)
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import first_of, show
from pipeline.settings.params import Data
from pipeline.tables import column_names, raw_files, selection, versioned
from pipeline.tables.csv_file import CsvFile
from pipeline.tables.opening import open_file, unreadable
from pipeline.tables.parquet_file import ParquetFile, size_of
from pipeline.tables.raw_file import Block, FilePath, Heading, RawFile
from pipeline.tables.raw_parts import RawPart
from pipeline.tables.remote_file import check_all
from pipeline.tables.selection import Selection
from pipeline.tables.typed_rows import TypedRows


@dataclass(frozen=True)
class RawTable:
    """A user's table of which only the columns' names were read.

    columns: the features with their settings. targets: names of the columns. A table without
    targets has the rows that a model is to answer; it may be empty.
    excluded: the columns that are neither.
    float32: the columns of numbers that are of single or half precision in every file.
    paths: of the files, in the order of the rows.
    """

    columns: Mapping[str, ColumnSettings]
    targets: tuple[str, ...]
    float32: frozenset[str]
    paths: tuple[FilePath, ...]
    row_schema: pa.Schema
    _files: tuple[RawFile, ...]
    _rows: TypedRows
    excluded: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(self.columns)

    @property
    def dropped(self) -> dict[str, int]:
        """The rows that were left out so far: see `TypedRows.dropped`."""
        return self._rows.dropped

    @property
    def choosing(self) -> Mapping[str, ColumnSettings]:
        """The columns by which rows belong together, with their settings."""
        return self._rows.selection.choosing

    def restricted(self, names: Collection[str]) -> "RawTable":
        """Return the table with fewer columns: see `TypedRows.restricted`."""
        rows = self._rows.restricted(names)
        return replace(self, columns=rows.selection.columns, row_schema=rows.schema, _rows=rows)

    def parts(self) -> list[RawPart]:
        """Return the files, for other threads and processes.

        Raises UserError with each file that is not Parquet, whose rows have no numbers, or with the
        columns whose numbers must all have one unit: a part alone does not show it.
        """
        parts = [
            RawPart.of(file, self._rows) for file in self._files if isinstance(file, ParquetFile)
        ]
        if len(parts) < len(self._files):
            others = [str(file.path) for file in self._files if not isinstance(file, ParquetFile)]
            raise UserError(
                f"data.keep_rows: found false, but {first_of(others, 5)}: only the rows of Parquet"
                " files can stay where they are; set it to true"
            )
        for part in parts:
            if names := self._rows.names_with_units(part.file):
                raise UserError(
                    f"{part.name}: found text in {first_of([*map(show, names)], 5)}, whose numbers"
                    " may have a unit (units: true); that all have the same unit is seen only if"
                    " all rows are read in order: set data.keep_rows to true, or write numbers"
                    " without a unit into the files"
                )
        return parts

    def rows(self) -> Iterator[pa.Table]:
        """Yield the rows in blocks, with `row_schema`, without those that the settings drop.

        A gap is NaN, "" or null; there is one only where the settings allow it.
        The next block is read while the caller works on the last one.
        Raises UserError with the file, the lines or rows, and the columns of values that cannot be
        used; all of a kind at once.
        """
        return (block.rows for block in self.blocks())

    @property
    def schema(self) -> pa.Schema:
        """All columns of the first file."""
        return self._files[0].schema

    @property
    def dialect(self) -> Read:
        """How the files are written."""
        return self._rows.dialect

    @property
    def unit(self) -> str:
        """Unit of `Block.places`: "line" or "row"."""
        return self._files[0].unit

    @property
    def heading(self) -> Heading | None:
        """The first line of the first file, if that is a CSV file."""
        return self._files[0].heading

    def values(self) -> Iterator[NDArray[np.float64]]:
        """Yield the `rows` of a table of numbers: [rows, features and targets], column-major."""
        return (block.values for block in self.blocks())

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks of `rows`, each with its places and columns in the file."""
        pending = self._read()
        total = sum(map(size_of, self.paths))
        reader = ThreadPoolExecutor(1)
        try:
            # The bar shows itself after a second, and only on a terminal.
            with tqdm(
                total=total, desc="reading", unit="B", unit_scale=True, delay=1, disable=None
            ) as bar:
                coming = reader.submit(next, pending, None)
                while (block := coming.result()) is not None:
                    coming = reader.submit(next, pending, None)
                    bar.update(block.size)
                    yield block
        finally:
            # A program that is asked to end cannot wait for a disk that does not answer.
            reader.shutdown(wait=False, cancel_futures=True)

    def _read(self) -> Iterator[Block]:
        """Yield the blocks of all files. Raises UserError as `rows`."""
        rows = 0
        for file in self._files:
            try:
                for block in self._rows.of(file):
                    rows += block.rows.num_rows
                    yield replace(block, path=file.path)
            except OSError as error:
                raise unreadable(file.path, error) from None
        check_all(self.paths)
        if rows == 0 and self.targets:
            where = self.paths[0] if len(self.paths) == 1 else f"{len(self.paths)} files"
            dropped = sum(self.dropped.values())
            content = "only rows without a value" if dropped else "only names of columns"
            if dropped and (weights := self._rows.selection.weights) is not None:
                content += f", or with the weight 0 in {show(weights.by)}"
            raise UserError(f"data.source: found no rows in {where}, {content}; a model needs rows")


def find(data: Data) -> RawTable:
    """Return the table that `data.source` names, with the columns that `data` names.

    Warns, on stderr, about files that are in no commit and not in DVC.
    Raises UserError if a file or a column is missing or cannot be used.
    """
    paths = raw_files.named(data.source)
    others = dict(data.grouping)
    if data.weights is not None:
        others["data.weights"] = data.weights.by
    wanted = (*data.columns, *data.targets, *others.values())
    first = open_file(paths[0], data.read, wanted)
    files = [first, *(open_file(path, data.read, (*wanted, *first.names)) for path in paths[1:])]

    column_names.check_there(first, "data.targets", data.targets, first)
    column_names.check_target_is_no_value(first, data.targets)
    column_names.check_all_there(first, others, first)
    if not data.features:
        column_names.check_excluded(first, data.exclude)
        column_names.check_all(first, data.targets, (*data.exclude, *others.values()))
    columns = data.columns or {
        name: NumberSettings(kind="number")
        for name in first.names
        if name not in {*data.targets, *data.exclude, *others.values()}
    }
    features = tuple(columns)
    for file in files:
        column_names.check_there(file, "data.targets", data.targets, first)
        column_names.check_there(file, "data.features", features, first)
        column_names.check_all_there(file, others, first)
        extra = sorted(set(file.names).difference(first.names), key=file.names.index)
        if extra and not data.features:
            raise UserError(
                f"{file.path}: found a column {show(extra[0])}, which {first.path} does not have;"
                " give all files the same columns, or name the features in data.features"
            )
    here = [path for path in paths if isinstance(path, Path) and path.is_relative_to(RAW)]
    versioned.warn_unkept(data.source, here or [Path(data.source)])
    # To DVC and to our ids two mappings are equal in any order, so that no result may depend on it.
    if isinstance(data.features, dict):
        columns = {name: columns[name] for name in first.names if name in columns}
    is_list = not isinstance(data.features, dict)
    decimal = data.read.decimal
    described = paths[0] if isinstance(paths[0], Path) else None
    choosing = selection.choosing(data, columns, first)
    asked = columns, data.targets, is_list, data.exclude, described, decimal, choosing, data.weights
    terms, _ = term_settings.read(data.terms, columns, data.targets)
    in_terms = selection.in_terms(terms)
    selected = Selection(*asked, in_terms=in_terms, logs=data.targets.logs)
    used = {*features, *data.targets, data.weights and data.weights.by}
    excluded = tuple(name for name in first.names if name not in used)
    drops = data.drop_rows == "missing_target"
    return _table(selected, files, data.read, drops, "refuse", excluded)


def _table(
    selected: Selection,
    files: Sequence[RawFile],
    read: Read,
    drop_missing_targets: bool,
    on_wrong: Literal["refuse", "gap"],
    excluded: tuple[str, ...] = (),
) -> RawTable:
    """Return the table of these files."""
    numbers = {name for name, each in selected.columns.items() if isinstance(each, NumberSettings)}
    float32 = frozenset({*numbers, *selected.targets}).intersection(*(f.float32 for f in files))
    schema = selected.schema(float32)
    rows = TypedRows(selected, schema, read, drop_missing_targets, on_wrong)
    paths = tuple(file.path for file in files)
    return RawTable(
        selected.columns, selected.targets, float32, paths, schema, tuple(files), rows, excluded
    )


def rows_to_answer(
    path: Path,
    columns: Mapping[str, ColumnSettings],
    read: Read,
    keep_all: bool = False,
    on_wrong: Literal["refuse", "gap"] = "refuse",
) -> RawTable:
    """Return the features of a file, for a model to answer; other columns may hold anything.

    columns: the features with their settings; a gap is NaN, "" or null where they have a policy for
    it. read: how the file is written.
    keep_all: True if the blocks have the other columns, too.
    on_wrong: gap: a value that is not of its column's kind is a gap, and no gap is refused.
    Raises UserError if the file or a column is missing or cannot be used.
    """
    if path.is_dir():
        raise UserError(f"{path}: found a folder; must be a file")
    if not path.exists():
        raise UserError(f"{path}: there is no such file")
    file = open_file(path, read, tuple(columns))
    if isinstance(file, CsvFile):
        # Lines of comments are read as empty lines.
        file = replace(file, skip_empty_lines=read.comment is not None)
    elif isinstance(file, ParquetFile):
        file = replace(file, keep_all=keep_all)
    column_names.check_there(file, "a feature of the model", tuple(columns), file)
    return _table(Selection(columns, ()), [file], read, False, on_wrong)
