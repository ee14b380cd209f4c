"""Answers of a model.onnx to the rows of a table, block by block."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
from abline_client import Model
from numpy.typing import NDArray

from pipeline.answers import answer_file
from pipeline.answers.answered_rows import AnsweredRows
from pipeline.answers.model_inputs import Bools
from pipeline.onnx_model import text_codes
from pipeline.onnx_model.text_codes import CodedFile
from pipeline.settings import files
from pipeline.tables import table
from pipeline.tables.raw_file import Block
from pipeline.tables.raw_table import RawTable

Outputs = Mapping[str, NDArray[Any]]
Answer = Callable[[dict[str, NDArray[Any]]], Outputs]
"""Answers columns, as the model takes them, with every output by its name."""

ROWS_AT_A_TIME = 4096
"""Of a table with categories: more would not fit into the processor's caches, and take twice as
long."""


def write(
    model: Model, rows: RawTable, out: Path, keep: bool = False, strict: bool = False
) -> AnsweredRows:
    """Write the answers to `rows` into the file `out`, whole or not at all.

    A row that cannot be answered gets null, which is an empty field in CSV.
    keep: also write all columns of the rows, before the answers. strict: refuse such rows.
    Raises UserError if no row can be answered, or, with `strict`, if a row cannot.
    """
    columns = answer_file.columns(model)
    schema = pa.schema([(name, kind) for name, (_, _, kind) in columns.items()])
    with ExitStack() as opened:
        answer, coded = opened.enter_context(answering(model))
        answered = AnsweredRows(model, rows, coded)
        # A link is replaced, not followed: it may lead into DVC's cache, to a file of a commit.
        partial = opened.enter_context(files.whole(out))
        suffix = out.suffix.lower()
        append = opened.enter_context(
            answer_file.beside(partial, suffix, schema, rows)
            if keep
            else answer_file.alone(partial, suffix, schema)
        )
        for block in rows.blocks():
            if not block.rows.num_rows:
                continue
            feed, refused = answered.model_input(block)
            outputs = answer(feed)
            if answered.terms:
                refused = _with_unanswered(answered, outputs, refused, block)
            answered.overflowed += _overflowed(outputs, refused)
            arrays = [_array(outputs[o][:, i], kind, refused) for o, i, kind in columns.values()]
            append(pa.Table.from_arrays(arrays, schema=schema), block)
        answered.check(strict=strict)
    return answered


@contextmanager
def answering(model: Model) -> Iterator[tuple[Answer, CodedFile | None]]:
    """Open a function that answers, and the copy of the file that it uses, if it uses one."""
    if model.contract["version"] == 1:
        yield lambda feed: model.answers(_matrix(feed, model), check=False), None
        return
    coded = text_codes.coded(model.content)
    if coded is None:
        yield lambda feed: model.answers(feed, check=False), None
        return
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # because parts of a block are answered at the same time
    session = onnxruntime.InferenceSession(
        coded.content, options, providers=["CPUExecutionProvider"]
    )
    names = [output["name"] for output in model.contract["outputs"]]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:

        def answer(feed: dict[str, NDArray[Any]]) -> Outputs:
            begins = range(0, len(next(iter(feed.values()))), ROWS_AT_A_TIME)
            slices = [slice(begin, begin + ROWS_AT_A_TIME) for begin in begins]
            parts = pool.map(
                lambda part: session.run(names, {name: x[part] for name, x in feed.items()}), slices
            )
            return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))

        yield answer, coded


def _matrix(feed: Mapping[str, NDArray[Any]], model: Model) -> NDArray[Any]:
    """Return the features as one array: [rows, features]."""
    x = np.empty((len(next(iter(feed.values()))), len(feed)), model.dtype)
    for index, column in enumerate(feed.values()):
        x[:, index] = column
    return x


def _with_unanswered(
    answered: AnsweredRows, outputs: Outputs, refused: Bools | None, block: Block
) -> Bools | None:
    """Return the rows that are refused: with those of which a term of the file has no value."""
    unanswered: Bools = np.logical_or.reduce([np.isnan(y).any(axis=1) for y in outputs.values()])
    if refused is not None:
        unanswered &= ~refused
    if not unanswered.any():
        return refused
    answered.add_unanswered(unanswered, block)
    return unanswered if refused is None else refused | unanswered


def _overflowed(outputs: Outputs, refused: Bools | None) -> int:
    """Return the number of rows that are answered with an infinite number."""
    # A sum is finite if all its terms are; if it is not, the terms are looked at.
    if refused is None and all(np.isfinite(y.sum(dtype=np.float64)) for y in outputs.values()):
        return 0
    finite = np.logical_and.reduce([np.isfinite(y).all(axis=1) for y in outputs.values()])
    return int(np.count_nonzero(~finite if refused is None else ~finite & ~refused))


def _array(values: NDArray[Any], kind: pa.DataType, refused: Bools | None) -> pa.Array:
    """Return an output as an Arrow array; null, or false, where the row is refused: [rows]."""
    if refused is None:
        return table.array(values, kind)
    if kind == pa.bool_():
        return table.array(values & ~refused, kind)
    return table.array(values, kind, known=~refused)
