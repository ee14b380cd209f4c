"""The files of a source, recorded in data/columns.json, because their rows are nowhere else."""

from collections.abc import Iterable

from pipeline.columns.plan import SourceFile
from pipeline.settings import inputs
from pipeline.tables.parquet_file import size_of
from pipeline.tables.raw_file import FilePath
from pipeline.tables.remote_file import RemoteFile


def source_files(paths: Iterable[FilePath]) -> tuple[SourceFile, ...]:
    """Return the files, each with what changes when its content does."""
    return tuple(
        SourceFile(path=str(path), size=size_of(path), etag=etag_of(path)) for path in paths
    )


def etag_of(path: FilePath) -> str:
    """Return the etag of a remote file, the md5 of a file of this machine."""
    return path.stored.etag if isinstance(path, RemoteFile) else inputs.md5(str(path))
