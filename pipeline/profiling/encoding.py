"""The text encoding of a file, packed or not, judged by all its bytes."""

import bz2
import codecs
import gzip
import lzma
from contextlib import closing
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from pipeline.settings import regular_file

BYTES_PER_READ = 8 << 20
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_NOT_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"


def opened(path: Path) -> IO[bytes]:
    """Open a file to read its bytes, unpacked."""
    regular_file.check(path)
    suffix = path.suffix.lower()
    if suffix == ".zst":
        return cast(IO[bytes], pa.input_stream(path, compression="zstd"))
    packed: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    return cast(IO[bytes], packed[suffix](path) if suffix in packed else path.open("rb"))


def of(path: Path) -> str:
    """Return the encoding of a text file: utf-8, cp1252, latin-1, utf-16, utf-16-le or -be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252 = True, True
    with closing(opened(path)) as file:
        begin = file.read(BYTES_PER_READ)
        for mark, name in _MARKS.items():
            if begin.startswith(mark):
                return name
        # Bytes 0 here and there are no UTF-16, whose commas and digits have one each, in step.
        zeros = [begin[place:4096:2].count(0) for place in (0, 1)]
        if max(zeros) > max(10 * min(zeros), len(begin[:4096]) // 10):
            return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        block = begin
        while block:
            if is_utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
            is_cp1252 = is_cp1252 and not set(_NOT_IN_CP1252).intersection(block)
            block = file.read(BYTES_PER_READ)
    if is_utf8 and not decoder.getstate()[0]:  # no character is cut off at the end
        return "utf-8"
    return "cp1252" if is_cp1252 else "latin-1"


def ends(path: Path, encoding: str, size: int = 1 << 20) -> tuple[str, str]:
    """Return the beginning and the end of a text, each of up to `size` bytes, by whole lines."""
    with closing(opened(path)) as file:
        head = file.read(size)
        rest = file.read(BYTES_PER_READ)
        last = head + rest
        while rest and (rest := file.read(BYTES_PER_READ)):
            last = last[-size:] + rest
    is_whole = len(last) == len(head)
    if encoding.startswith("utf-16") and not is_whole:
        last = last[len(last) % 2 :]
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    text = head.decode(name, errors="replace")
    if is_whole:
        return text, text
    tail_name = "utf-8" if encoding == "utf-8" else encoding
    if encoding == "utf-16":
        tail_name = "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    tail = last[-size - size % 2 :].decode(tail_name, errors="replace")
    return text[: text.rfind("\n") + 1] or text, tail[tail.find("\n") + 1 :]
