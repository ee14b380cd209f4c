"""The text of a file as a stream of UTF-8: unpacked, transcoded, without lines around the table."""

import bz2
import codecs
import gzip
import io
import itertools
import lzma
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.tables.raw_file import SAVE_AS_FILE

BYTES_PER_CHUNK = 8 << 20
LONGEST_ROW_BYTES = 64 << 20  # a longer row has a quote that was never closed
PACKED = (".gz", ".bz2", ".xz", ".zst")
_UTF_8 = ("utf-8", "utf-8-sig")


@dataclass
class TextSource:
    """The text of a file.

    position: the bytes of the file that were read so far, for a progress bar.
    """

    path: Path
    dialect: Read
    position: int = 0

    def chunks(self) -> Iterator[bytes]:
        """Yield the text from its beginning, in pieces of about BYTES_PER_CHUNK, none empty.

        Lines that the dialect skips, and comments, are empty, so that the others keep their
        numbers.
        Raises UserError for bytes that are not of the encoding and for a damaged packed file.
        """
        pieces = self._transcoded(self._unpacked())
        if self.dialect.skip_lines:
            pieces = _without_first_lines(pieces, self.dialect.skip_lines)
        if self.dialect.footer_lines:
            pieces = _without_last_lines(pieces, self.dialect.footer_lines)
        if self.dialect.comment is not None:
            pieces = _without_comments(pieces, self.dialect.comment.encode())
        return filter(None, pieces)

    def _unpacked(self) -> Iterator[bytes]:
        with regular_file.opened(self.path, SAVE_AS_FILE) as file:
            stream = _unpacking(file, self.path.suffix.lower())
            while True:
                try:
                    piece = stream.read(BYTES_PER_CHUNK)
                except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
                    if isinstance(error, OSError) and error.errno is not None:
                        raise
                    raise UserError(
                        f"{self.path}: damaged or cut short ({error}); fetch or write it again"
                    ) from None
                self.position = file.tell()
                if not piece:
                    return
                yield piece

    def _transcoded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield pieces as UTF-8; bytes of a UTF-8 file are unchanged, and not looked at."""
        encoding = codecs.lookup(self.dialect.encoding).name
        if encoding in _UTF_8:
            yield from pieces
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = 0
        for piece in pieces:
            text = self._decoded(decoder, piece, lines)
            lines += text.count("\n") or text.count("\r")
            yield text.encode()
        self._decoded(decoder, b"", lines, is_last=True)

    def _decoded(
        self, decoder: codecs.IncrementalDecoder, piece: bytes, lines: int, is_last: bool = False
    ) -> str:
        """Return a piece as text. lines: before it. Raises UserError with the line of a byte."""
        state = decoder.getstate()
        try:
            return decoder.decode(piece, is_last)
        except UnicodeError as error:
            if not isinstance(error, UnicodeDecodeError):  # UTF-16 without its mark
                raise UserError(f"{self.path}: not {self.dialect.encoding} ({error})") from None
            decoder.setstate(state)
            before = decoder.decode(error.object[len(state[0]) : error.start])
            line = 1 + lines + (before.count("\n") or before.count("\r"))
            raise UserError(
                f"{self.path}:{line}: found the byte 0x{error.object[error.start]:02x}, which"
                f" {self.dialect.encoding} does not have there ({error.reason}); correct"
                " `encoding` in params.yaml, under data: read:"
            ) from None


def first_bytes(path: Path, size: int = 1 << 20) -> bytes:
    """Return the first bytes of a file, unpacked, as they are: at most `size`.

    Raises UserError if it is no regular file or damaged, OSError if it cannot be read.
    """
    head = b""
    for piece in TextSource(path, Read.usual())._unpacked():
        head += piece
        if len(head) >= size:
            break
    return head[:size]


def _unpacking(file: io.BufferedReader, suffix: str) -> Any:
    """Return the file with the content of a packed file."""
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=file)
    if suffix == ".bz2":
        return bz2.BZ2File(file)
    if suffix == ".xz":
        return lzma.LZMAFile(file)
    if suffix == ".zst":
        return pa.CompressedInputStream(file, "zstd")
    return file


def _without_first_lines(pieces: Iterator[bytes], lines: int) -> Iterator[bytes]:
    """Yield pieces in which the first lines are empty."""
    for piece in pieces:
        begin = 0
        newline = b"\n" if b"\n" in piece else b"\r"
        while lines and (end := piece.find(newline, begin)) >= 0:
            begin, lines = end + 1, lines - 1
            yield newline
        if not lines:
            yield piece[begin:]
            break
    yield from pieces


def _without_last_lines(pieces: Iterator[bytes], lines: int) -> Iterator[bytes]:
    """Yield pieces without the last lines; empty lines after them are not counted."""
    held = b""
    for piece in pieces:
        held += piece
        # One more: the last line of a piece may be only the beginning of a line.
        cut = _begin_of_last_lines(held, lines + 1)
        if cut:
            yield held[:cut]
            held = held[cut:]
    yield held[: _begin_of_last_lines(held, lines)]


def _without_comments(pieces: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
    """Yield pieces in which lines that begin with `mark` are empty, except within quotes."""
    comment = re.compile(
        rb'(?<![^\r\n,;|\t])"[^"]*(?:""[^"]*)*("|\Z)|(?<![^\r\n])' + re.escape(mark) + rb"[^\r\n]*"
    )
    held = b""
    for piece in itertools.chain(pieces, [b""]):
        text = held + piece
        # The last line may be only the beginning of a line.
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1 if piece else len(text)
        kept, begin = [], 0
        for match in comment.finditer(text, 0, end):
            if match[1] == b"" and piece and end - match.start() < LONGEST_ROW_BYTES:
                end = match.start()  # within quotes: wait for the closing one
            elif match[1] is None:
                kept.append(text[begin : match.start()])
                begin = match.end()
        yield b"".join([*kept, text[begin:end]])
        held = text[end:]


def _begin_of_last_lines(text: bytes, lines: int) -> int:
    """Return the offset of the last `lines` lines that are not empty; 0 if there are fewer."""
    newline = b"\n" if b"\n" in text else b"\r"
    end = len(text)
    while end > 0:
        begin = text.rfind(newline, 0, end) + 1
        lines -= bool(text[begin:end].strip())
        if not lines:
            return begin
        end = begin - 1
    return 0
