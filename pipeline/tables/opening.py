"""Open one file of a table, whatever its kind; for programs that look at a file as it is.

file = open_file(path, read)      # names, schema and unit are known
for block in file.texts():        # all columns: text of CSV files, else typed; see RawFile.texts
    ...
text_source.first_bytes(path)     # what a sniffer of dialects looks at
"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.tables import raw_files
from pipeline.tables.column_names import same_name
from pipeline.tables.csv_file import CsvFile
from pipeline.tables.excel_file import ExcelFile
from pipeline.tables.json_file import JsonFile
from pipeline.tables.parquet_file import ParquetFile
from pipeline.tables.raw_file import FilePath
from pipeline.tables.remote_file import RemoteFile

AnyFile = CsvFile | ExcelFile | JsonFile | ParquetFile


def open_file(path: FilePath, read: Read, wanted: Sequence[str] = ()) -> AnyFile:
    """Open a file; its columns that are `wanted` get the spelling of `wanted`.

    read: how the file is written.
    Raises UserError if the file cannot be read, or not so; see RawFile for what it can do.
    """
    try:
        file = _opened(path, read, wanted)
    except OSError as error:
        raise unreadable(path, error) from None
    names = set(file.names)
    spelling = {same_name(name): name for name in wanted if name not in names}
    return replace(file, names=tuple(spelling.get(same_name(name), name) for name in file.names))


def _opened(path: FilePath, read: Read, wanted: Sequence[str]) -> AnyFile:
    if isinstance(path, RemoteFile):
        return ParquetFile.open(path)
    raw_files.check_kind(path)
    kind = raw_files.kind(path)
    if kind in raw_files.CSV:
        return CsvFile.open(path, read, wanted)
    if kind in raw_files.JSON:
        return JsonFile.open(path, read)
    if kind in raw_files.EXCEL:
        return ExcelFile.open(path, read)
    return ParquetFile.open(path)


def unreadable(path: FilePath, error: OSError) -> UserError:
    """Return the error for a file that the operating system does not let us read."""
    if isinstance(error, PermissionError):
        return UserError(f"{path}: you may not read this file; `chmod u+r {path}` if it is yours")
    if isinstance(error, FileNotFoundError):
        return UserError(f"data.source: {raw_files.not_there(str(path))}")
    return UserError(f"{path}: cannot be read: {error.strerror or error}")
