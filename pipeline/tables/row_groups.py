"""Row groups of the pipeline's own tables: their sizes, and their rows group by group."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError

BYTES_READ = 1 << 18
"""Bytes of a column that are read at a time."""


def sizes(file: pq.ParquetFile) -> list[int]:
    """Return the number of rows of each row group."""
    groups = range(file.metadata.num_row_groups)
    return [file.metadata.row_group(group).num_rows for group in groups]


def sizes_in(path: Path) -> list[int]:
    """Return the number of rows of each row group of a table. Raises UserError as `opened`."""
    with opened(path) as file:
        return sizes(file)


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a table to read it group by group, without keeping in memory what was read.

    Raises UserError if the file is missing or damaged, also for damage seen while it is read.
    """
    try:
        regular_file.check(path)
        # Not memory_map: what was read would count as memory of the process, and a file that is
        # cut while it is read would end the process by SIGBUS. Not pre_buffer: it keeps what it
        # read. In pieces: a row group of another program may be larger than memory.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=BYTES_READ) as file:
            yield file
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except (pa.ArrowException, OSError) as error:
        # For damaged bytes Arrow raises an OSError as well, which has no number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(
            f"{path}: not a readable Parquet file ({reason}); `dvc repro -f` makes it again"
        ) from None


def column(path: Path, name: str) -> Iterator[pa.ChunkedArray]:
    """Yield the values of a column of a table, a row group at a time."""
    with opened(path) as file:
        for group in range(file.metadata.num_row_groups):
            yield file.read_row_group(group, columns=[name]).column(0)


def read(file: pq.ParquetFile, groups: Sequence[int], rows: int) -> Iterator[pa.Table]:
    """Yield the rows of some row groups of an open file, in blocks of `rows` rows.

    Raises ArrowInvalid if rows are missing: of a file that was cut, Arrow's buffered reader gives
    no rows, and no error.
    """
    left = sum(file.metadata.row_group(group).num_rows for group in groups)
    # One thread: the callers have threads of their own.
    if left <= rows:
        blocks: Iterator[pa.Table] = iter([file.read_row_groups(groups, use_threads=False)])
    else:
        batches = file.iter_batches(rows, row_groups=groups, use_threads=False)
        blocks = (pa.Table.from_batches([batch]) for batch in batches)
    while left:
        block = next(blocks, None)
        if block is None or block.num_rows != min(rows, left):
            raise pa.ArrowInvalid(f"rows of row group {groups[0]} are missing")
        left -= block.num_rows
        yield block


def at(
    file: pq.ParquetFile, places: Iterable[int], columns: Sequence[str]
) -> Iterator[tuple[list[int], pa.Table]]:
    """Yield some rows of an open file, a row group at a time, with their places, which rise.

    places: the number of rows of the table before each. Only row groups that have some are read.
    """
    wanted = sorted({*places})
    begin = 0
    for group, rows in enumerate(sizes(file)):
        inside = [place for place in wanted if begin <= place < begin + rows]
        if inside:
            whole = file.read_row_group(group, columns=[*columns])
            yield inside, whole.take([place - begin for place in inside])
        begin += rows


def joined(groups: Iterable[int], group_rows: Sequence[int], rows: int) -> Iterator[list[int]]:
    """Yield the row groups in lists of at most `rows` rows, or of one group, in the given order.

    Groups of a few rows are read together: each read costs a tenth of a millisecond.
    """
    part: list[int] = []
    held = 0
    for group in groups:
        if part and held + group_rows[group] > rows:
            yield part
            part, held = [], 0
        part.append(group)
        held += group_rows[group]
    if part:
        yield part
