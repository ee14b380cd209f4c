"""A file of a table in a file system that is not this machine's."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.settings.errors import EditedError, UserError
from pipeline.tables.store import Store, Stored, errors_of

REQUESTS_AT_ONCE = 16


@dataclass(frozen=True)
class RemoteFile:
    """A file, as it was when the table was listed. Another process can read it: it pickles small.

    uri: its name, for people. imported: the .dvc file of the import.
    """

    uri: str
    store: Store
    path: str
    stored: Stored
    imported: Path

    def __str__(self) -> str:
        """Return the uri: messages name a file of this machine by its path."""
        return self.uri

    @contextmanager
    def opened(self) -> Iterator[pa.NativeFile]:
        """Open the file to read it. Raises EditedError if it is another than when it was listed.

        Whatever fails in the block, the reason is given that the file has changed, if it has.
        """
        with errors_of(self.uri):
            file, stored = self.store.open(self.path)
        with file, errors_of(self.uri):
            self._compare(stored)
            try:
                yield file
            except (OSError, pa.ArrowException, UserError):
                self.check()
                raise
        self.check()

    def check(self) -> None:
        """Raise EditedError if the file has changed since it was listed."""
        with errors_of(self.uri):
            stored = self.store.stored(self.path)
        self._compare(stored)

    def _compare(self, stored: Stored | None) -> None:
        if stored == self.stored:
            return
        now = f"has {stored.size:,} bytes, etag {stored.etag}" if stored else "is gone"
        raise EditedError(
            f"{self.uri}: changed while the table was read: it had {self.stored.size:,} bytes, etag"
            f" {self.stored.etag}, and {now}; when it is whole, `dvc update --no-download"
            f" {self.imported}`, then `dvc repro`"
        )


def check_all(paths: Iterable[object]) -> None:
    """Raise EditedError if one of the remote files among `paths` has changed."""
    remote = [path for path in paths if isinstance(path, RemoteFile)]
    if not remote:
        return
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
        for _ in requests.map(RemoteFile.check, remote):
            pass
