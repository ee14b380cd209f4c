"""Row groups of the pipeline's own tables: their sizes, and their rows group by group."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.tables.table import ROWS_PER_ROW_GROUP


def sizes(path: Path) -> tuple[int, ...]:
    """Return the number of rows of each row group.

    Raises UserError if the file is missing or its end is damaged.
    """
    with opened(path) as file:
        return sizes_of(file)


def sizes_of(file: pq.ParquetFile) -> tuple[int, ...]:
    """Return the number of rows of each row group of an open file."""
    metadata = file.metadata
    return tuple(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a table to read it group by group, without keeping in memory what was read.

    Raises UserError if the file is missing or damaged, also for damage seen while it is read.
    """
    try:
        regular_file.check(path)
        # Not memory_map: what was read would count as memory of the process, and a file that is
        # cut while it is read would end the process by SIGBUS. Not pre_buffer: it keeps what it
        # read.
        with pq.ParquetFile(path, pre_buffer=False) as file:
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


def joined(
    groups: Iterable[int], group_rows: Sequence[int], rows: int = ROWS_PER_ROW_GROUP
) -> Iterator[list[int]]:
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
