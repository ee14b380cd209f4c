"""A user's table as it comes: CSV and Parquet files, read in blocks of rows.

No value is invented or lost: rows keep the order of the files, the files of a glob the order of
their names; every number is the one in the file (an integer that float64 cannot represent is
refused); a value that is missing or infinite is refused with its place. csv_file.py says what a CSV
file may look like. Parquet columns must be integers or floats.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.settings.column_settings import ColumnSettings, NumberSettings
from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.settings.params import Data
from pipeline.tables import column_names, raw_files, table, versioned
from pipeline.tables.advice import Selection
from pipeline.tables.column_names import same_name
from pipeline.tables.csv_file import CsvFile
from pipeline.tables.faults import Faults
from pipeline.tables.parquet_file import ParquetFile
from pipeline.tables.raw_file import Block, Heading, RawFile
from pipeline.tables.table import Table


@dataclass(frozen=True)
class RawTable:
    """A user's table of which only the columns' names were read.

    columns: the features with their settings. targets: names of the columns. A table without
    targets has the rows that a model is to answer; it may be empty.
    excluded: the columns that are neither.
    dropped: the rows that were left out so far, by the column whose value is missing.
    float32: the columns that are of single or half precision in every file.
    paths: of the files, in the order of the rows.
    """

    columns: Mapping[str, ColumnSettings]
    targets: tuple[str, ...]
    float32: frozenset[str]
    paths: tuple[Path, ...]
    _files: tuple[RawFile, ...]
    excluded: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(self.columns)

    @property
    def row_schema(self) -> pa.Schema:
        """Names and types of the features and the targets, as `rows` has them."""
        return table.number_schema(self.features + self.targets, self.float32)

    def rows(self) -> Iterator[pa.Table]:
        """Yield the rows in blocks, with `row_schema`. Raises as `values`."""
        names = self.features + self.targets
        for values in self.values():
            yield table.to_arrow(Table(names, values, self.float32))

    @property
    def schema(self) -> pa.Schema:
        """All columns of the first file."""
        return self._files[0].schema

    @property
    def heading(self) -> Heading | None:
        """The first line of the first file, if that is a CSV file."""
        return self._files[0].heading

    def values(self) -> Iterator[NDArray[np.float64]]:
        """Yield the rows in blocks: [rows, features and targets], column-major, all finite.

        The next block is read while the caller works on the last one.
        Raises UserError with the file, line or row, and column of a value that is not a finite
        number.
        """
        return (block.values for block in self.blocks())

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks of `values`, each with its places and columns in the file."""
        pending = self._read()
        total = sum(path.stat().st_size for path in self.paths)
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
        """Yield the blocks of all files. Raises UserError as `values`."""
        names = self.features + self.targets
        selection = Selection(self.features, self.targets)
        rows = 0
        for file in self._files:
            index = {name: index for index, name in enumerate(file.names)}
            columns = [index[name] for name in names]
            faults = Faults(f"{file.path}", file.unit, names)
            try:
                for block in file.blocks(columns, selection):
                    rows += len(block.values)
                    if not faults.add(block):
                        yield block
            except OSError as error:
                raise _unreadable(file.path, error) from None
            faults.check()
        if rows == 0 and self.targets:
            where = self.paths[0] if len(self.paths) == 1 else f"{len(self.paths)} files"
            raise UserError(
                f"data.source: found no rows in {where}, only names of columns; a model needs rows"
            )


def find(data: Data) -> RawTable:
    """Return the table that `data.source` names, with the columns that `data` names.

    Warns, on stderr, about files that are in no commit and not in DVC.
    Raises UserError if a file or a column is missing or cannot be used.
    """
    paths = raw_files.named(data.source)
    wanted = (*data.columns, *data.targets)
    first = _opened(paths[0], wanted)
    files = [first, *(_opened(path, (*wanted, *first.names)) for path in paths[1:])]

    column_names.check_there(first, "data.targets", data.targets, first)
    if not data.features:
        column_names.check_all(first, data.targets)
    columns = data.columns or {
        name: NumberSettings(kind="number")
        for name in first.names
        if name not in data.targets and name not in data.exclude
    }
    features = tuple(columns)
    for file in files:
        column_names.check_there(file, "data.targets", data.targets, first)
        column_names.check_there(file, "data.features", features, first)
        extra = sorted(set(file.names).difference(first.names), key=file.names.index)
        if extra and not data.features:
            raise UserError(
                f"{file.path}: found a column {show(extra[0])}, which {first.path} does not have;"
                " give all files the same columns, or name the features in data.features"
            )
    float32 = frozenset(features + data.targets).intersection(*(file.float32 for file in files))
    versioned.warn_unkept(data.source, paths)
    excluded = tuple(name for name in first.names if name not in {*features, *data.targets})
    return RawTable(columns, data.targets, float32, tuple(paths), tuple(files), excluded)


def rows_to_answer(path: Path, features: Sequence[str], keep_all: bool = False) -> RawTable:
    """Return the columns `features` of a file, for a model to answer; others may hold anything.

    keep_all: True if the blocks have the other columns, too.
    Raises UserError if the file or a column is missing or cannot be used.
    """
    if path.is_dir():
        raise UserError(f"{path}: found a folder; must be a file")
    if not path.exists():
        raise UserError(f"{path}: there is no such file")
    raw_files.check_kind(path)
    file = _opened(path, features)
    if isinstance(file, CsvFile):
        file = replace(file, skip_empty_lines=False)
    else:
        file = replace(file, keep_all=keep_all)
    column_names.check_there(file, "a feature of the model", features, file)
    float32 = file.float32.intersection(features)
    columns = {name: NumberSettings(kind="number") for name in features}
    return RawTable(columns, (), float32, (path,), (file,))


def _opened(path: Path, wanted: Sequence[str]) -> CsvFile | ParquetFile:
    """Open a file; its columns that are `wanted` get the spelling of `wanted`."""
    try:
        is_csv = path.suffix.lower() in raw_files.CSV
        file = CsvFile.open(path, wanted) if is_csv else ParquetFile.open(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    known = set(file.names)
    spelling = {same_name(name): name for name in wanted if name not in known}
    return replace(file, names=tuple(spelling.get(same_name(name), name) for name in file.names))


def _unreadable(path: Path, error: OSError) -> UserError:
    """Return the error for a file that the operating system does not let us read."""
    if isinstance(error, PermissionError):
        return UserError(f"{path}: you may not read this file; `chmod u+r {path}` if it is yours")
    if isinstance(error, FileNotFoundError):
        return UserError(f"data.source: {raw_files.not_there(str(path))}")
    return UserError(f"{path}: cannot be read: {error.strerror or error}")
