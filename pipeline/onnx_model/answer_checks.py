"""Checks of an ONNX file's answers: onnxruntime, at every level of optimisation, against torch."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pipeline.onnx_model import feed, sessions
from pipeline.onnx_model.check import Check
from pipeline.onnx_model.contract import Output
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.feed import Feed, Inputs

# A shape that was fixed by mistake breaks at 0 or 1; vector code runs at 1000.
BATCH_SIZES = (0, 1, 2, 3, 1000)


def run(content: bytes, expected: Expected, rows: Mapping[str, Inputs]) -> list[Check]:
    """Run the file at every level of optimisation on all rows, in batches of every size.

    content: the bytes of the ONNX file. rows: by kind; finite or not, refused or not.
    """
    opened, of_levels = {}, {}
    for level in onnxruntime.GraphOptimizationLevel.__members__.values():
        of_levels[level] = [Check(f"{level.name}: {name}") for name in rows]
        try:
            opened[level] = sessions.opened(content, level)
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            of_levels[level] = [Check(f"{level.name}: loads", str(error).strip())]
    for number, part in enumerate(rows.values()):
        for batch in _batches(part, expected):
            for level, session in opened.items():
                of_levels[level][number] = batch.run(session, of_levels[level][number])
    return [check for of_level in of_levels.values() for check in of_level]


@dataclass(frozen=True)
class _Batch:
    """A batch of rows, torch's answers, and the differences that are allowed."""

    outputs: tuple[Output, ...]
    rows: Feed
    finite: NDArray[np.bool_]
    """[rows, 1]: true if every number that the module gets is finite, and no value is refused."""
    right: list[NDArray[Any]]
    """torch's answers, one array for each output"""
    allowed: list[NDArray[np.float64]]

    @classmethod
    def of(
        cls, inputs: Inputs, expected: Expected, allowed: list[NDArray[np.float64]] | None = None
    ) -> Self:
        """Return the batch of some rows. allowed: computed if it is not given."""
        rows = expected.feed(inputs)
        right = expected.answers(rows)
        if allowed is None:
            allowed = expected.allowed_in(rows, right)
        finite = (np.isfinite(rows.x).all(axis=1) & ~rows.refused)[:, None]
        return cls(expected.outputs, rows, finite, right, allowed)

    def run(self, session: onnxruntime.InferenceSession, before: Check) -> Check:
        """Return the check `before` with this batch added, or as it is if it has failed already."""
        if before.problem:
            return before
        size = len(self.rows.x)
        rows = before.rows + size
        try:
            answers = session.run([output.name for output in self.outputs], self.rows.inputs)
        except Exception as error:  # see above
            return Check(before.name, f"batch of {size}: {error}".strip(), rows)
        bound, used = before.bound or 0.0, before.used
        for each in zip(self.outputs, answers, self.right, self.allowed, strict=True):
            problem, largest, share = _compared(*each, self.finite)
            if problem:
                return Check(before.name, problem, rows, excess=largest)
            bound, used = max(bound, largest), max(used, share)
        return Check(before.name, None, rows, bound, used)


def _compared(
    output: Output,
    answers: NDArray[Any],
    right: NDArray[Any],
    allowed: NDArray[np.float64],
    finite: NDArray[np.bool_],
) -> tuple[str | None, float, float]:
    """Compare one output of a batch: return the problem, the largest bound, `Check.used`.

    If there is a problem, the second number is `Check.excess`.
    allowed: see `Expected.allowed`; finite: see `_Batch`.
    """
    if answers.shape != right.shape or answers.dtype != right.dtype:
        mismatch = f"found {answers.dtype}{answers.shape}, must be {right.dtype}{right.shape}"
        return f"{output.name}: {mismatch}", math.inf, 0
    with np.errstate(invalid="ignore", over="ignore"):
        differences = np.abs(answers.astype(np.float64) - right.astype(np.float64))
    # Where a sum may overflow, any answer is right. Elsewhere inputs that are not finite must give
    # the same class of answer, and finite inputs an answer within the bound.
    same = _classes(answers) == _classes(right) if output.dtype != "bool" else answers == right
    wrong = (allowed < np.inf) & np.where(finite, ~(differences <= allowed), ~same)
    if wrong.any():
        wrong_differences = np.where(wrong & np.isfinite(differences), differences, 0)
        worst = int(np.argmax(wrong_differences if wrong_differences.any() else wrong))
        row, column = divmod(worst, wrong.shape[1])
        column_name = output.targets[column] if output.meaning == "prediction" else output.name
        problem = (
            f"row {row} of a batch of {len(answers)}, {column_name}: onnx {answers[row, column]},"
            f" torch {right[row, column]}, apart by {differences[row, column]:.3g}, allowed"
            f" {allowed[row, column]:.3g}"
        )
        # Rounding, or a function that is computed less exactly, moves an answer by less than a
        # thousandth of the largest one.
        size = np.abs(right[np.isfinite(right)]).max(initial=0)
        small = (differences[wrong] <= size / 1000).all() and finite[wrong.any(axis=1)].all()
        return problem, float((differences - allowed)[wrong].max()) if small else math.inf, 0
    checked = finite & np.isfinite(allowed)
    shares = np.divide(
        differences, allowed, out=np.zeros_like(differences), where=checked & (differences > 0)
    )
    return None, float(allowed.max(where=checked, initial=0)), float(shares.max(initial=0))


def _batches(inputs: Inputs, expected: Expected) -> Iterator[_Batch]:
    """Yield all rows, in blocks; then the first rows, repeated, in batches of every size."""
    rows, block = feed.row_count(inputs), expected.block_rows
    assert block >= max(BATCH_SIZES), "the first block has the rows of these batches"
    if not rows:
        return
    first = _Batch.of(feed.chosen(inputs, slice(block)), expected)
    yield first
    for start in range(block, rows, block):
        yield _Batch.of(feed.chosen(inputs, slice(start, start + block)), expected)
    for size in BATCH_SIZES:
        repeated = np.arange(size) % rows
        allowed = [each[repeated] for each in first.allowed]
        yield _Batch.of(feed.chosen(inputs, repeated), expected, allowed)


def _classes(values: NDArray[Any]) -> NDArray[np.int8]:
    """Return 0 for a finite number, 1 and −1 for an infinity, 2 for NaN."""
    return np.where(np.isnan(values), 2, np.where(np.isinf(values), np.sign(values), 0)).astype(
        np.int8
    )
