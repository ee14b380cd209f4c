"""The user's own table: CSV and Parquet files under data/raw/, read in blocks of rows.

Nothing is made up and nothing is lost: rows keep the order of the files, a glob's files the order
of their names; every number is the one in the file (integers that float64 does not hold are
refused); a value that is missing or infinite is refused with its place. See csv_file.py for what a
CSV file may look like. Parquet columns must be integers or floats.
"""

import difflib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.settings import terminal
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of, show
from pipeline.settings.params import Data
from pipeline.tables import raw
from pipeline.tables.advice import Asked
from pipeline.tables.csv_file import CsvFile
from pipeline.tables.parquet_file import ParquetFile
from pipeline.tables.table import Block, Heading, same_name

EXACT = 2.0**53  # below it every integer is a float64


@dataclass(frozen=True)
class Source:
    """A user's table, not read yet but for its columns' names.

    features, targets: names of the columns; without targets, rows to answer, of which there may be
    none.
    float32: those that the file, or every one of the files, has in this or half precision.
    files: in the order of the rows.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    float32: frozenset[str]
    files: tuple[Path, ...]
    _sheets: tuple[CsvFile | ParquetFile, ...]

    @property
    def kept(self) -> pa.Schema:
        """All columns of the first file."""
        return self._sheets[0].kept

    @property
    def heading(self) -> Heading | None:
        """The first line of the first file, if that is a CSV."""
        sheet = self._sheets[0]
        return sheet.heading if isinstance(sheet, CsvFile) else None

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """The rows, block by block: [rows, features and targets], column-major, all finite.

        The next block is read while the caller works on the last one.
        Raises UserError with the file, line or row, and column of whatever is no finite number.
        """
        return (block.values for block in self.whole_blocks())

    def whole_blocks(self) -> Iterator[Block]:
        """`blocks` with what else the files have of these rows."""
        pending = self._read()
        total = sum(path.stat().st_size for path in self.files)
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
            # Whoever is asked to end while a disk or a share does not answer cannot wait for it.
            reader.shutdown(wait=False, cancel_futures=True)

    def _read(self) -> Iterator[Block]:
        """The blocks of all files. Raises UserError for what `blocks` says."""
        names = self.features + self.targets
        asked = Asked(self.features, self.targets)
        rows = 0
        for sheet in self._sheets:
            index = {name: index for index, name in enumerate(sheet.names)}
            columns = [index[name] for name in names]
            faults = _Faults(f"{sheet.path}", sheet.unit, names)
            try:
                for block in sheet.blocks(columns, asked):
                    rows += len(block.values)
                    if faults.none_in(block):
                        yield block
            except OSError as error:
                raise _unreadable(sheet.path, error) from None
            faults.check()
        if rows == 0 and self.targets:
            where = self.files[0] if len(self.files) == 1 else f"{len(self.files)} files"
            raise UserError(
                f"data.source: found no rows in {where}, only names of columns; a fit needs some"
            )


def find(data: Data) -> Source:
    """Find the files of `data.source` and the columns in them.

    Warns, on stderr, of files that are in no commit and not in DVC.
    Raises UserError if a file or a column is not there, or is not what it must be.
    """
    files = raw.named(data.source)
    wanted = data.features + data.targets
    first = _opened(files[0], wanted)
    sheets = [first, *(_opened(path, (*wanted, *first.names)) for path in files[1:])]

    _check_columns(first, "data.targets", data.targets, first)
    if not data.features:
        _check_all_names(first, data.targets)
    features = data.features or tuple(name for name in first.names if name not in data.targets)
    for sheet in sheets:
        _check_columns(sheet, "data.targets", data.targets, first)
        _check_columns(sheet, "data.features", features, first)
        extra = sorted(set(sheet.names).difference(first.names), key=sheet.names.index)
        if extra and not data.features:
            raise UserError(
                f"{sheet.path}: found a column {show(extra[0])}, which {first.path} does not have;"
                " give all files the same columns, or name the features in data.features"
            )
    float32 = frozenset(features + data.targets).intersection(*(sheet.float32 for sheet in sheets))
    raw.warn_unkept(data.source, files)
    return Source(features, data.targets, float32, tuple(files), tuple(sheets))


def rows_of(path: Path, features: Sequence[str], keep: bool = False) -> Source:
    """The columns `features` of a file, for a model to answer; others may hold anything.

    keep: whether the blocks have the other columns, too.
    Raises UserError if the file or a column is not there, or is not what it must be.
    """
    if path.is_dir():
        raise UserError(f"{path}: found a folder; must be a file")
    if not path.exists():
        raise UserError(f"{path}: there is no such file")
    raw.check_kind(path)
    sheet = _opened(path, features)
    sheet = replace(sheet, gaps=False) if isinstance(sheet, CsvFile) else replace(sheet, keep=keep)
    _check_columns(sheet, "a feature of the model", features, sheet)
    float32 = sheet.float32.intersection(features)
    return Source(tuple(features), (), float32, (path,), (sheet,))


# --- files


def _opened(path: Path, wanted: Sequence[str]) -> CsvFile | ParquetFile:
    """A file of which the names are known, those that are `wanted` in the spelling asked for."""
    try:
        is_csv = path.suffix.lower() in raw.CSV
        sheet = CsvFile.open(path, wanted) if is_csv else ParquetFile.open(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    there = set(sheet.names)
    asked = {same_name(name): name for name in wanted if name not in there}
    return replace(sheet, names=tuple(asked.get(same_name(name), name) for name in sheet.names))


def _unreadable(path: Path, error: OSError) -> UserError:
    """What to say of a file that the machine does not let us read."""
    if isinstance(error, PermissionError):
        return UserError(f"{path}: you may not read this file; `chmod u+r {path}` if it is yours")
    if isinstance(error, FileNotFoundError):
        return UserError(f"data.source: {raw.not_there(str(path))}")
    return UserError(f"{path}: cannot be read: {error.strerror or error}")


# --- columns


def _check_columns(
    sheet: CsvFile | ParquetFile, key: str, names: Sequence[str], first: CsvFile | ParquetFile
) -> None:
    """Refuse a file that does not have each of `names` once. key: where these names come from."""
    found = Counter(sheet.names)
    for name in names:
        if not found[name]:
            raise UserError(_no_column(sheet, key, name, first))
        if found[name] > 1:
            raise UserError(
                f"{sheet.path}: found {found[name]} columns {show(name)}; rename all but one"
            )


def _check_all_names(sheet: CsvFile | ParquetFile, targets: Sequence[str]) -> None:
    """Refuse names that cannot be features', where every column is to be one."""
    wrong: dict[str, str] = {}  # the names, and what is wrong with the first of them
    for index, name in enumerate(sheet.names):
        if not name and not any(sheet.names[index:]):
            wrong[name] = f"no name for column {index + 1}: the first line ends with a separator"
        elif not name or name.startswith("__index_level_"):
            wrong[name] = (
                f"{f'the name {show(name)}' if name else 'no name'} for column {index + 1}, which"
                " may be row labels (pandas writes none with index=False, R with row.names=FALSE)"
            )
        # As params.Name, which is for the names that are listed.
        elif len(name) > 200 or terminal.invisible(name):
            wrong[name] = (
                f"a column {show(name)}; a name must have at most 200 characters, none of them"
                " invisible, such as a line end or a tab; rename it"
            )
    if wrong:
        features = tuple(name for name in sheet.names if name not in targets)
        cure = Asked(features, tuple(targets)).without([*wrong])
        (told, *_) = wrong.values()
        raise UserError(f"{sheet.path}: found {told}{', or' if 'rename' in told else ';'} {cure}")
    if all(name in targets for name in sheet.names):
        raise UserError(f"{sheet.path}: found only targets; a fit needs a feature beside them")


def _no_column(
    sheet: CsvFile | ParquetFile, key: str, name: str, first: CsvFile | ParquetFile
) -> str:
    """What to say where `sheet` has no column `name`."""
    text = f"{sheet.path}: found no column {show(name)}"
    if sheet is not first and name in first.names:
        return f"{text}, which {first.path} has; give all files of a glob the same columns"
    text += f" ({key})"
    names = [show(other) for other in sheet.names]
    shown = first_of(names, 8)
    if isinstance(sheet, CsvFile):
        if 2 * sum(map(_is_number, sheet.names)) >= len(names):
            return f"{text}; its first line must name the columns, and is {shown}"
        if sheet.names[0].startswith("#"):
            return (
                f"{text}; its first line must name the columns, and is {shown}; take lines of"
                " comment away"
            )
        if len(names) == 1:
            return (
                f"{text}; its first line is {shown}; names must be separated by commas, semicolons"
                " or tabs"
            )
    alike = {_plain(other): other for other in sheet.names}
    near = alike.get(_plain(name))
    near = near or next(iter(difflib.get_close_matches(name, sheet.names, 1)), None)
    if near and _plain(near, fold=False) == _plain(name, fold=False):
        # It looks the same: only its characters tell that it is not.
        return f"{text}; it has {json.dumps(near)}, which only looks the same; copy it from there"
    return f"{text}; {f'did you mean {show(near)}? ' if near else ''}it has {shown}"


def _plain(name: str, fold: bool = True) -> str:
    """A name without what a reader does not see, and, with `fold`, without upper case."""
    text = " ".join(unicodedata.normalize("NFKC", name).split())
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return text.casefold() if fold else text


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


# --- values


@dataclass
class _Fault:
    """One way of being no number: how many values of each column, in how many rows, the first."""

    counts: NDArray[np.int64]
    rows: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, bad: NDArray[np.bool_], block: Block) -> None:
        """Count what is `bad` [rows, columns] in `block`."""
        rows = np.flatnonzero(bad.any(axis=1)).tolist()
        if rows:
            self.counts += bad.sum(axis=0)
            self.rows += len(rows)
            if wanted := rows[: 3 - len(self.places)]:
                self.places += block.places(wanted)

    def told(self, fault: str, names: Sequence[str], unit: str) -> str:
        """How many values are so, in which columns, and where the first of them are."""
        total = int(self.counts.sum())
        columns = np.flatnonzero(self.counts).tolist()
        listed = [f"{show(names[column])} ({self.counts[column]})" for column in columns]
        if len(columns) == 1:
            listed = [show(names[columns[0]])]
        first = "first " if self.rows > len(self.places) else ""
        return (
            f"{count(total, 'value')} {'is' if total == 1 else 'are'} {fault} in"
            f" {first_of(listed, 5)}, {first}in {unit}{'s' * (len(self.places) > 1)}"
            f" {', '.join(map(str, self.places))}"
        )


class _Faults:
    """The values of a file that are no finite numbers: how many there are, and the first of them.

    To say how many there are takes reading to the end of the file.
    """

    def __init__(self, where: str, unit: str, names: Sequence[str]) -> None:
        self._where, self._unit, self._names = where, unit, names
        self._faults = {
            name: _Fault(np.zeros(len(names), np.int64)) for name in ("missing", "infinite")
        }
        self._inexact: list[str] = []

    def none_in(self, block: Block) -> bool:
        """Whether all is well, with this block and those before it."""
        values = block.values
        if len(values):
            with np.errstate(invalid="ignore"):
                low, high = values.min(axis=0), values.max(axis=0)
            # NaN is in no interval.
            suspects = np.flatnonzero(~((low > -EXACT) & (high < EXACT)))
            if len(suspects):
                self._faults["missing"].add(np.isnan(values), block)
                self._faults["infinite"].add(np.isinf(values), block)
                for column in suspects:
                    self._look_closer(block, int(column))
        return not (self._inexact or any(fault.rows for fault in self._faults.values()))

    def _look_closer(self, block: Block, column: int) -> None:
        """Find the first integer that float64 does not hold."""
        values = abs(block.values[:, column])
        large = np.flatnonzero(np.isfinite(values) & (values >= EXACT))
        for row, value in block.inexact(column, large)[: 1 - len(self._inexact)]:
            (place,) = block.places([row])
            self._inexact.append(
                f"{self._unit} {place} has {show(self._names[column])} = {value}, an integer that"
                f" float64 does not hold (the nearest is {int(float(value))}); if it is a label,"
                " leave the column out of data.features; else write it in a larger unit"
            )

    def check(self) -> None:
        """Raises UserError if something was wrong with the file."""
        told = []
        for fault, cure in (
            ("missing", "fill them in, or take these rows away"),
            ("infinite", "put finite numbers there, or take these rows away"),
        ):
            if self._faults[fault].rows:
                what = self._faults[fault].told(fault, self._names, self._unit)
                told.append(f"{what}; {cure}")
        told += self._inexact
        if told:
            raise UserError(f"{self._where}: " + f"\n  {self._where}: ".join(told))
