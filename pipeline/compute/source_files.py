"""The files of a source: recorded in data/columns.json where rows are elsewhere; their faults."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.columns.plan import SourceFile
from pipeline.compute.pool import PoolError
from pipeline.settings import inputs
from pipeline.settings.errors import EditedError, UnavailableError, UserError
from pipeline.tables.parquet_file import size_of
from pipeline.tables.raw_file import FilePath
from pipeline.tables.remote_file import RemoteFile

if TYPE_CHECKING:
    from pipeline.tables.raw_table import RawTable


def source_files(paths: Iterable[FilePath]) -> tuple[SourceFile, ...]:
    """Return the files, each with what changes when its content does."""
    return tuple(
        SourceFile(path=str(path), size=size_of(path), etag=etag_of(path)) for path in paths
    )


def etag_of(path: FilePath) -> str:
    """Return the etag of a remote file, the md5 of a file of this machine."""
    return path.stored.etag if isinstance(path, RemoteFile) else inputs.md5(str(path))


@contextmanager
def told_in_order(raw: "RawTable") -> Iterator[None]:
    """Raise the message that a table has whose rows are read in order, if one cannot be used.

    Several threads meet with faults in any order, and each knows only the faults of its piece; who
    reads some columns knows only theirs.
    """
    try:
        yield
    except (EditedError, PoolError, UnavailableError):
        raise
    except UserError:
        for _ in raw.rows():
            pass
        raise  # the file has changed again
