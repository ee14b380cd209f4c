"""The Parquet files of a table, described so that another process can read some of their rows.

A part is read in pieces: row groups that follow each other, with about as many rows as are worth a
task, or one row group if that has more. A piece is read in blocks of 65,536 rows, so that a row
group of many million rows takes no more memory than a small one.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from pipeline.settings import stamps
from pipeline.settings.errors import EditedError, UserError
from pipeline.settings.stamps import Stamp
from pipeline.tables.parquet_file import ParquetFile, Piece
from pipeline.tables.remote_file import RemoteFile
from pipeline.tables.typed_rows import TypedRows

PIECE_ROWS = 1 << 18
"""The same whatever the table is: the sums of a piece are kept for the next time."""


@dataclass(frozen=True)
class RawPart:
    """A Parquet file of a table, and how its rows are typed. It pickles small.

    name: of the file, for messages. file: with its absolute path, if it is a file of this machine.
    stamp: of such a file when the table was listed; None of other files, which have an etag.
    """

    name: str
    file: ParquetFile
    typing: TypedRows
    stamp: Stamp | None

    @classmethod
    def of(cls, file: ParquetFile, typing: TypedRows) -> "RawPart":
        """Return the part that a file is. typing: how the rows of the table are typed."""
        if isinstance(file.path, RemoteFile):
            return cls(str(file.path), file, typing, None)
        path = file.path.absolute()
        return cls(str(file.path), replace(file, path=path), typing, stamps.of(str(path)))

    def pieces(self) -> Iterator[tuple["RawPart", Piece]]:
        """Divide the part into pieces, each with a part to read it from."""
        small = replace(self, file=replace(self.file, rows_of_groups=()))
        # Arrow's list of 100,000 groups takes half a gigabyte each time that the file is open.
        rows = self.file.rows if self.file.has_small_groups else PIECE_ROWS
        first, begin, held = 0, 0, 0
        for group, size in enumerate(self.file.rows_of_groups):
            if held and held + size > rows:
                yield small, Piece(range(first, group), begin, held)
                first, begin, held = group, begin + held, 0
            held += size
        if held:
            yield small, Piece(range(first, len(self.file.rows_of_groups)), begin, held)

    def read(self, piece: Piece, names: Collection[str] | None = None) -> Iterator[pa.Table]:
        """Yield the typed rows of a piece in blocks, without those that the settings drop.

        names: of the columns to read, beside the targets; None: all.
        Raises UserError with the values that cannot be used, EditedError if the file changes.
        """
        yield from self._blocks(piece, self._typing(names))

    def each(
        self, piece: Piece, names: Collection[str], note: Callable[[pa.Table], None]
    ) -> dict[str, int]:
        """Call `note` with each block of `read`; return the numbers of the rows that are dropped.

        These are by the first column whose value is missing. Raises UserError as `read`.
        """
        typing = self._typing(names)
        for block in self._blocks(piece, typing):
            note(block)
        return typing.dropped

    def _typing(self, names: Collection[str] | None) -> TypedRows:
        """Return a reader of its own, because it counts the rows that it drops."""
        return self.typing.restricted(names)

    def _blocks(self, piece: Piece, typing: TypedRows) -> Iterator[pa.Table]:
        self.check()
        try:
            yield from (block.rows for block in typing.of(replace(self.file, piece=piece)))
        except (OSError, UserError):
            self.check()
            raise
        self.check()

    def check(self) -> None:
        """Raise EditedError if a file of this machine has changed; others check themselves."""
        if self.stamp is not None and stamps.of(str(self.file.path)) != self.stamp:
            raise EditedError(
                f"{self.name}: changed while the table was read; when it is whole, run the"
                " same command again"
            )
