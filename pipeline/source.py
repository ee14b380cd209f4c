"""The user's own table: CSV and Parquet files under data/raw/, read in blocks of rows.

Nothing is made up and nothing is lost: rows keep the order of the files, a glob's files the order
of their names; every number is the one in the file (integers that float64 does not hold are
refused); a value that is missing or infinite is refused with its place. See csv_file.py for what a
CSV file may look like. Parquet columns must be integers or floats.
"""

import difflib
import os
import posixpath
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from glob import glob, has_magic
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline import UserError
from pipeline.csv_file import CsvFile
from pipeline.files import RAW
from pipeline.mistakes import count, show
from pipeline.params import Data
from pipeline.parquet_file import ParquetFile
from pipeline.table import Block

CSV = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
EXACT = 2.0**53  # below it every integer is a float64
SMALL = 1 << 20  # bytes that git keeps without regret


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
    _advice: Mapping[str, str]  # of each column, what to do if it can never be numbers

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """The rows, block by block: [rows, features and targets], column-major, all finite.

        The next block is read while the caller works on the last one.
        Raises UserError with the file, line or row, and column of whatever is no finite number.
        """
        pending = self._read()
        total = sum(path.stat().st_size for path in self.files)
        with (
            ThreadPoolExecutor(1) as reader,
            # The bar shows itself after a second, and only on a terminal.
            tqdm(
                total=total, desc="reading", unit="B", unit_scale=True, delay=1, disable=None
            ) as bar,
        ):
            coming = reader.submit(next, pending, None)
            while (block := coming.result()) is not None:
                coming = reader.submit(next, pending, None)
                bar.update(block.size)
                yield block.values

    def _read(self) -> Iterator[Block]:
        """The blocks of all files. Raises UserError for what `blocks` says."""
        asked = self.features + self.targets
        rows = 0
        for sheet in self._sheets:
            index = {name: index for index, name in enumerate(sheet.names)}
            columns = [index[name] for name in asked]
            advice = {index[name]: self._advice[name] for name in asked}
            faults = _Faults(f"{sheet.path}", sheet.unit, asked)
            try:
                for block in sheet.blocks(columns, advice):
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

    Warns, on stderr, of files that neither git nor DVC knows.
    Raises UserError if a file or a column is not there, or is not what it must be.
    """
    files = _files(data.source)
    wanted = data.features + data.targets
    sheets = [_opened(path, wanted) for path in files]

    first = sheets[0]
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
    _warn_unkept(data.source, files)
    leave = (
        "leave it out of data.features"
        if data.features
        else "name the features without it in data.features"
    )
    advice = dict.fromkeys(features, leave) | dict.fromkeys(data.targets, "choose another target")
    return Source(features, data.targets, float32, tuple(files), tuple(sheets), advice)


def rows_of(path: Path, features: Sequence[str]) -> Source:
    """The columns `features` of a file, for a model to answer; others may hold anything.

    Raises UserError if the file or a column is not there, or is not what it must be.
    """
    if path.is_dir():
        raise UserError(f"{path}: found a folder; must be a file")
    if not path.exists():
        raise UserError(f"{path}: there is no such file")
    _check_kind(path)
    sheet = _opened(path, features)
    if isinstance(sheet, CsvFile):
        sheet = replace(sheet, gaps=False)
    _check_columns(sheet, "a feature of the model", features, sheet)
    float32 = sheet.float32.intersection(features)
    advice = dict.fromkeys(features, "use another table")
    return Source(tuple(features), (), float32, (path,), (sheet,), advice)


# --- files


def _files(source: str) -> list[Path]:
    """The files that `source` names, in the order of their names' bytes."""
    pattern = posixpath.normpath(source.replace("\\", "/"))
    path = Path(pattern)
    if path.is_dir():
        raise UserError(
            f"data.source: {pattern} is a folder; must be a file or a glob, such as {pattern}/*.csv"
        )
    if path.exists():
        found = [path]
    elif has_magic(pattern):
        # What DVC and git put beside the tables is none of them.
        found = [
            Path(name)
            for name in sorted(_matches(pattern), key=os.fsencode)
            if not name.endswith(".dvc") and not Path(name).is_dir()
        ]
    else:
        found = []
    if not found:
        raise UserError(f"data.source: {_not_there(pattern)}")
    for path in found:
        _check_kind(path, ", or narrow the glob" if len(found) > 1 else "")
    return found


def _check_kind(path: Path, otherwise: str = "") -> None:
    if path.suffix.lower() not in CSV + PARQUET:
        packed = path.suffix.lower() in (".gz", ".bz2", ".xz", ".zst", ".zip")
        cure = "unpack it first" if packed else "save the table as one of them"
        raise UserError(
            f"{path}: found a file of kind {show(path.suffix)}; must be {', '.join(CSV)} or"
            f" {', '.join(PARQUET)}; {cure}{otherwise}"
        )


def _opened(path: Path, wanted: Sequence[str]) -> CsvFile | ParquetFile:
    try:
        is_csv = path.suffix.lower() in CSV
        return CsvFile.open(path, wanted) if is_csv else ParquetFile.open(path)
    except OSError as error:
        raise _unreadable(path, error) from None


def _matches(pattern: str) -> list[str]:
    # Path.glob would take hidden files too.
    return glob(pattern, recursive=True)  # noqa: PTH207


def _not_there(pattern: str) -> str:
    """What to say where `pattern` names no file."""
    path = Path(pattern)
    text = f"found no file {pattern}"
    if has_magic(pattern):
        text = f"found no file that matches {pattern}"
    elif path.is_symlink():
        return (
            f"{pattern} is a link to {path.readlink()}, which is not there; `dvc checkout` mends it"
        )
    elif Path(f"{pattern}.dvc").exists():
        return f"{text}, but {pattern}.dvc; `dvc checkout {pattern}.dvc` or `dvc pull` brings it"
    # DVC runs temporary experiments in a folder of their own, and says where the real one is.
    root = Path(os.environ.get("DVC_ROOT", "."))
    if root.resolve() != Path.cwd().resolve() and _matches(str(root / pattern)):
        return (
            f"{text} in this temporary experiment, which has only what git or DVC holds; in {root},"
            f" `git add {pattern}` if it is small, else `dvc add {pattern}`"
        )
    folder = path.parent if path.parent.is_dir() else RAW
    names = sorted(
        entry.name
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if entry.suffix.lower() in CSV + PARQUET
    )
    near = difflib.get_close_matches(path.name, names, 1)
    if near and folder == path.parent and not has_magic(pattern):
        return f"{text}; did you mean {folder / near[0]}?"
    if names:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")
        return f"{text}; {folder} has {shown}"
    return f"{text}; put your CSV or Parquet file into {RAW}/"


def _unreadable(path: Path, error: OSError) -> UserError:
    """What to say of a file that the machine does not let us read."""
    if isinstance(error, PermissionError):
        return UserError(f"{path}: you may not read this file; `chmod u+r {path}` if it is yours")
    if isinstance(error, FileNotFoundError):
        return UserError(f"data.source: {_not_there(str(path))}")
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
    cure = "name the features in data.features to leave it out"
    for index, name in enumerate(sheet.names):
        if not name or name.startswith("__index_level_"):
            raise UserError(
                f"{sheet.path}: found {f'the name {show(name)}' if name else 'no name'} for column"
                f" {index + 1}, which may be row labels (pandas writes none with index=False, R"
                f" with row.names=FALSE); {cure}"
            )
        # As params.yaml has it of the names there.
        if len(name) > 200 or re.search(r"[\x00-\x1f\x7f]", name):
            raise UserError(
                f"{sheet.path}: found a column {show(name)}; a name must have at most 200"
                f" characters, none of them a line end or a tab; rename it, or {cure}"
            )
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
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if names[8:] else "")
    if isinstance(sheet, CsvFile):
        if all(_is_number(other) for other in sheet.names):
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
    alike = {other.strip().casefold(): other for other in sheet.names}
    near = alike.get(name.strip().casefold())
    near = near or next(iter(difflib.get_close_matches(name, sheet.names, 1)), None)
    return f"{text}; {f'did you mean {show(near)}? ' if near else ''}it has {shown}"


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
        shown = [f"{show(names[column])} ({self.counts[column]})" for column in columns[:5]]
        if len(columns) == 1:
            shown = [show(names[columns[0]])]
        more = f" and {len(columns) - 5} more columns" if columns[5:] else ""
        first = "first " if self.rows > len(self.places) else ""
        return (
            f"{count(total, 'value')} {'is' if total == 1 else 'are'} {fault} in"
            f" {', '.join(shown)}{more}, {first}in {unit}{'s' * (len(self.places) > 1)}"
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


# --- what git and DVC know


def _warn_unkept(source: str, files: Sequence[Path]) -> None:
    """Say which files a temporary experiment of DVC's would not have."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--", "data", "data.dvc"], capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return  # no git, or no repository
    known = {os.fsdecode(name) for name in listed.stdout.split(b"\0")}
    unkept = [
        path
        for path in files
        if not any(
            name in known
            for name in (str(path), f"{path}.dvc", *(f"{p}.dvc" for p in path.parents))
        )
    ]
    if not unkept:
        return
    which, *others = unkept
    names = " ".join(shlex.quote(str(path)) for path in unkept) if len(unkept) <= 3 else source
    size = sum(path.stat().st_size for path in unkept)
    command = f"git add {names}"
    if size > SMALL:
        command = f"dvc add {names}"
    if any(Path(f"{path}.dvc").exists() for path in unkept):
        command = "git add " + " ".join(shlex.quote(f"{path}.dvc") for path in unkept[:3])
    more = f" and {len(others)} more" if others else ""
    print(
        f"warning: {which}{more}: in neither git nor DVC, so"
        f" temporary experiments and your colleagues will not have it; `{command}`",
        file=sys.stderr,
    )
