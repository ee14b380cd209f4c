"""Sums of pieces of a table, kept for the next time: files that are appended cost only themselves.

A piece has the sums that it had if its file, its place in the table, the encoding of the columns
and the seed are the same; the counts of the plan may be others. The sums are outside of DVC's
outputs, because DVC removes these before it runs a stage. A file is the SHA-256 of its content,
then the content.
"""

import hashlib
import io
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.columns.part import Part
from pipeline.columns.plan import SourceFile
from pipeline.compute import task_code
from pipeline.compute.draws import Draws, Side
from pipeline.compute.mapping import Task
from pipeline.compute.sampled import Extremes, SampledRows
from pipeline.compute.source_rows import SourceRows
from pipeline.compute.summarize import Layout, Partial
from pipeline.settings import files
from pipeline.tables.table import array

DIGEST_BYTES = 32
DAYS_KEPT = 30
"""Days without use after which sums are removed."""
BYTES_KEPT = 1 << 30
"""Size of all that is kept; what was used last stays."""
LARGEST_BYTES = 1 << 24
"""Sums of a piece that are larger, of a thousand columns, take as long to read as the rows."""
COUNTS = {"missing_rows", "min", "max", "mean", "rows", "rare_rows"}
"""Keys of a plan's columns that change no encoded number."""
PLACE = "\0place"


class KeptSums:
    """The sums that are kept of a table.

    source: its files. layout: how rows become numbers now. schema: of the typed rows.
    """

    def __init__(self, source: Sequence[SourceFile], layout: Layout, schema: pa.Schema) -> None:
        self._files = {file.path: file for file in source}
        self._layout, self._schema = layout, schema
        self._folder = files.root() / files.STATE_FOLDER / "sums"
        plan = [_without_counts(column.model_dump(mode="json")) for column in layout.plan.columns]
        terms = [term.model_dump(mode="json") for term in layout.plan.terms]
        draws, code = layout.draws, task_code.digest()
        folds = draws.folds.identity
        weights = layout.plan.weights and layout.plan.weights.model_dump()
        scales = layout.plan.target_scales
        encoding = [plan, terms, layout.plan.only_in_terms, scales, weights]
        self._common = [encoding, layout.targets, code, draws.seed, folds, str(schema)]
        _remove_old(self._folder)

    def read(self, task: Task) -> Partial | None:
        """Return the sums of a piece; None if they are not there, damaged or not enough."""
        if (path := self._path(task)) is None:
            return None
        try:
            content = path.read_bytes()
            digest, content = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
            if hashlib.sha256(content).digest() != digest:
                return None
            partial = _unpacked(content, self._layout.draws, _before(task), self._schema)
            os.utime(path)
        except (OSError, ValueError, KeyError, pa.ArrowException):
            return None
        return partial if partial is not None and partial.rows == task.rows else None

    def write(self, task: Task, partial: Partial) -> None:
        """Keep the sums of a piece. A disk that is full is no error: they are made again."""
        if (path := self._path(task)) is None:
            return
        content = _packed(partial, self._layout.draws, self._schema)
        if len(content) <= LARGEST_BYTES:
            with suppress(OSError):
                files.write_bytes(path, hashlib.sha256(content).digest() + content)

    def _path(self, task: Task) -> Path | None:
        """Return where the sums of a piece are; None if nothing tells when its file changes."""
        fragment = task.fragment
        assert isinstance(fragment, SourceRows)
        file = self._files[fragment.part.name]
        if not file.etag:
            return None
        typing = fragment.part.typing
        identity = [
            *self._common,
            # With the path, because an etag may be no more than the time of the last change.
            [file.path, file.size, file.etag, fragment.part.file.rows],
            [fragment.piece.groups.start, fragment.piece.groups.stop],
            fragment.division.identity,
            dict(fragment.before),
            [repr(typing.selection.settings), repr(typing.dialect), typing.drop_missing_targets],
            # If the sample has every row, the rows with extreme values are not noted.
            self._layout.draws.all_sampled("train"),
        ]
        text = json.dumps(identity, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.sum"


def _before(task: Task) -> Mapping[Side, int]:
    assert isinstance(task.fragment, SourceRows)
    return task.fragment.before


def _without_counts(value: Any) -> Any:
    """Return a plan's column without the keys that change no encoded number."""
    if isinstance(value, dict):
        return {key: _without_counts(item) for key, item in value.items() if key not in COUNTS}
    return [_without_counts(item) for item in value] if isinstance(value, list) else value


def _packed(partial: Partial, draws: Draws, schema: pa.Schema) -> bytes:
    extremes = partial.extremes
    head = {
        "rows": draws.rows,
        "parts": [part.as_json() for part in partial.parts],
        "test": partial.test.as_json(),
        "extremes": [
            values.tolist()
            for values in (
                extremes.smallest,
                extremes.smallest_place,
                extremes.largest,
                extremes.largest_place,
            )
        ],
    }
    out = io.BytesIO(json.dumps(head).encode() + b"\n")
    out.seek(0, io.SEEK_END)
    kept = schema.append(pa.field(PLACE, pa.int64()))
    for rows in (partial.sampled["train"], partial.sampled["test"], extremes.rows):
        # Not new_file, which writes a footer: a stream of the next rows follows.
        with pa.ipc.new_stream(out, kept) as stream:
            for piece, places in rows.pieces:
                stream.write_table(piece.append_column(PLACE, array(places, pa.int64())))
    return out.getvalue()


def _unpacked(
    content: bytes, draws: Draws, before: Mapping[Side, int], schema: pa.Schema
) -> Partial | None:
    """Return what `_packed` wrote, with the sample that a table of as many rows has now.

    before: numbers of rows of both sides before the piece. None if the sample has too few rows:
    of a table with fewer rows each is drawn with a larger probability.
    """
    line, _, _ = content.partition(b"\n")
    head = json.loads(line)
    if any(head["rows"][side] > rows for side, rows in draws.rows.items()):
        return None
    parts = tuple(map(Part.from_json, head["parts"]))
    test = Part.from_json(head["test"])
    rows_of = {"train": sum(part.table_rows for part in parts), "test": test.table_rows}
    source = pa.BufferReader(content)
    source.seek(len(line) + 1)
    train_rows, test_rows, extreme_rows = (_rows(source, schema) for _ in range(3))
    sampled: dict[Side, SampledRows] = {"train": train_rows, "test": test_rows}
    for side, rows in sampled.items():
        drawn = draws.sampled(side, before[side], rows_of[side])
        sampled[side] = rows.without(before[side] + np.flatnonzero(~drawn))
    low, low_place, high, high_place = head["extremes"]
    extremes = Extremes(
        np.array(low, np.float64),
        np.array(low_place, np.int64),
        np.array(high, np.float64),
        np.array(high_place, np.int64),
        extreme_rows,
    )
    return Partial(parts, test, sampled, extremes)


def _rows(source: pa.BufferReader, schema: pa.Schema) -> SampledRows:
    pieces: Sequence[pa.RecordBatch] = list(pa.ipc.open_stream(source))
    tables = [pa.Table.from_batches([piece]) for piece in pieces if piece.num_rows]
    places = [np.from_dlpack(piece.column(PLACE)) for piece in pieces if piece.num_rows]
    return SampledRows(
        schema,
        tuple(
            (rows.select(schema.names), np.array(each, np.int64))
            for rows, each in zip(tables, places, strict=True)
        ),
    )


def _remove_old(folder: Path) -> None:
    """Remove sums that were not used for a month, and the oldest of more than can be kept."""
    try:
        entries = [(entry.stat(), entry) for entry in folder.iterdir()]
    except OSError:
        return
    entries.sort(key=lambda entry: entry[0].st_mtime, reverse=True)
    oldest, size = time.time() - DAYS_KEPT * 24 * 3600, 0
    for status, path in entries:
        size += status.st_size
        if status.st_mtime < oldest or size > BYTES_KEPT:
            with suppress(OSError):
                path.unlink()
