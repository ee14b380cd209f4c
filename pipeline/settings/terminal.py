"""Output streams of a program that harm neither the program nor the terminal of the reader."""

import atexit
import errno
import io
import os
import re
import select
import sys
from typing import TextIO

STANDARD_OUTPUT = "standard output"
"""The file name in the OSError of a standard output that cannot be written to."""

UNREAD_STATUS = 128 + 13  # as if SIGPIPE had ended the program

# C0 and C1 controls, which a terminal obeys, except tab and line feed; and characters that have no
# width, change the direction of the text or end a line: text with them looks like other text.
INVISIBLE = (
    r"\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb"
)
"""As a class of characters in a regular expression: Python's, or JavaScript's in a JSON schema."""

_INVISIBLE = re.compile(rf"[{INVISIBLE}\U000e0000-\U000e007f]")


def invisible(name: str) -> list[str]:
    """Return the invisible characters of a name, tabs and line feeds included."""
    return _INVISIBLE.findall(name) + re.findall(r"[\t\n]", name)


def visible(text: str) -> str:
    r"""Return `text` with escapes, such as \x1b, for invisible and control characters."""
    return _INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class _Text(io.TextIOWrapper):
    """Stream that writes `visible` text, with escapes for characters that the encoding lacks."""

    def write(self, text: str, /) -> int:
        # A progress bar returns to the beginning of its line.
        begin = "\r" * text.startswith("\r")
        super().write(begin + visible(text[len(begin) :]))
        if self.write_through:  # `python -u`
            self.flush()
        return len(text)


class _File(io.FileIO):
    """File of a stream. After an error, everything is written to the null device."""

    def write(self, content: "bytes", /) -> int:  # type: ignore[override]
        try:
            while (written := super().write(content)) is None:
                # The stream does not block, and is full until its reader reads.
                select.select([], [self], [])
            return written
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if self.fileno() == 2:  # nobody reads a message about it, and the work continues
                return len(content)
            if error.errno == errno.EPIPE:
                raise SystemExit(UNREAD_STATUS) from None
            raise OSError(error.errno, error.strerror, STANDARD_OUTPUT) from None


def install() -> None:
    """Replace Python's output streams by ours, when a program starts.

    If the reader of standard output has ended (`… | head`), the program ends without a message, by
    SystemExit. If the disk is full, a write raises OSError with the file name STANDARD_OUTPUT.
    Errors of standard error stop nothing.
    """
    sys.stdout = _ours(sys.stdout)
    sys.stderr = _ours(sys.stderr)
    atexit.register(_last_flush)


def _ours(stream: TextIO | None) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):  # None: closed by the parent
        return stream  # type: ignore[return-value]
    stream.flush()
    file = _File(stream.fileno(), "wb", closefd=False)
    return _Text(
        io.BufferedWriter(file),  # type: ignore[type-var]
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _last_flush() -> None:
    if status := flush():
        os._exit(status)


def flush() -> int:
    """Write all buffered output before a program ends. Return the exit status.

    0 if it is written, UNREAD_STATUS if its reader has ended, 1 (and a message) if it cannot be
    written.
    """
    status = 0
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit:
        status = UNREAD_STATUS
    except OSError as error:
        print(
            f"error: {STANDARD_OUTPUT}: {error.strerror}; part of the output is lost",
            file=sys.stderr,
        )
        status = 1
    if sys.stderr is not None:
        sys.stderr.flush()
    return status
