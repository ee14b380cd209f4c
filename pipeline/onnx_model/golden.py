"""The golden vectors: hard rows, the right answers, and the error allowed in a runtime.

The answers of a linear model are exact, rounded once.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq
from numpy.typing import NDArray

from pipeline.exact.interval import Interval
from pipeline.exact.rounding import enclose, nearest, rounded
from pipeline.learning import prediction, rounding_bound
from pipeline.learning.line import Line
from pipeline.onnx_model import own_unit, provable
from pipeline.onnx_model.contract import MatrixVectors
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.hard_rows import hard_rows
from pipeline.onnx_model.offsets import Offsets
from pipeline.onnx_model.own_unit import Places
from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream

VECTOR_COUNT = 32

# How outputs and bounds were computed, as contract.json says it.
LINEAR_DERIVATION = (
    "outputs: y = (x - mean) * weight + bias in rational arithmetic, rounded once to the output's"
    " dtype. bounds: eps * (p + 2) * (|x - mean| |weight| + |bias| + the smallest normal number)"
    " for p features that are not zero, p + 3 where a mean is subtracted; two evaluations in any"
    " order of sums, with or without fused multiply-add, differ by no more (Higham, Accuracy and"
    " Stability of Numerical Algorithms, 2002, section 3.1)"
)
OTHER_DERIVATION = (
    "outputs: the torch module in float64, rounded to the output's dtype. bounds: "
    + rounding_bound.DERIVATION
)
INTERVAL_DERIVATION = (
    ". low, high: y -+ h, h = scale * sqrt(constant + |(x - centre) * factor|^2), in balls of real"
    " numbers, rounded once. bounds: that of y, plus eps * (|y| + h) for the last rounding, plus"
    " what the float64 arithmetic of h may be off by, by the same reasoning"
)
IN_RANGE_DERIVATION = ". in_range: exact"


def vectors(
    expected: Expected, training: NDArray[np.float64], queries: NDArray[np.float64], seed: int
) -> MatrixVectors:
    """Return the golden vectors. training, queries: [rows, features].

    Raises UserError if no answer is finite and has a finite bound.
    """
    dtype, interval = expected.precision, expected.interval
    low, high = training.min(axis=0), training.max(axis=0)
    line = expected.line
    random = stream(seed, "golden vectors")
    x = hard_rows(VECTOR_COUNT, low, high, queries, line, interval, dtype, random)
    right, derivation = right_answers(expected, x)
    smallest, largest = low.astype(dtype).astype("f8"), high.astype(dtype).astype("f8")
    inside = ((x >= smallest) & (x <= largest)).all(axis=1)
    if expected.has_in_range:
        right.append(inside[:, None].astype("f8"))
        derivation += IN_RANGE_DERIVATION
    bounds = expected.allowed(x, right[0])
    finite = np.isfinite(np.hstack([*right, *bounds])).all(axis=1)
    x, right, bounds = x[finite], [y[finite] for y in right], [each[finite] for each in bounds]
    kept = provable.rows(
        expected.outputs,
        right,
        bounds,
        provable.distance_of_matrix(x, smallest, largest),
        inside[finite],
        len(low),
        dtype,
    )
    chosen = np.flatnonzero(kept)[:VECTOR_COUNT]
    if not len(chosen):
        raise too_large(dtype)
    names = [output.name for output in expected.outputs]
    return MatrixVectors(
        inputs=x[chosen].tolist(),
        outputs={name: y[chosen].tolist() for name, y in zip(names, right, strict=True)},
        bounds={name: b[chosen].tolist() for name, b in zip(names, bounds, strict=True)},
        derivation=derivation,
    )


def right_answers(
    expected: Expected, x: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], str]:
    """Return the right y, and low and high if they are asked for, and how they were computed.

    x: finite numbers for the model, [rows, features]. A row that a module has no finite answer to
    has no finite ends either.
    """
    line, interval, dtype = expected.line, expected.interval, expected.precision
    logs, of_logs = expected.logs, own_unit.DERIVATION if expected.logs else ""
    if line is None:
        fitted = prediction.predict(expected.predictor, x)
        own = own_unit.in_float64(fitted, logs)
        with np.errstate(over="ignore"):
            right, derivation = [own.astype(dtype).astype(np.float64)], OTHER_DERIVATION
        answered = np.isfinite(fitted).all(axis=1)
        middle = iter([[*map(Fraction, row)] for row in fitted[answered].tolist()])
    else:
        right, derivation = [predictions(line, x, dtype, logs)], LINEAR_DERIVATION
        answered = np.ones(len(x), np.bool_)
        middle = _exact(line, x)
    if interval is not None and line is not None:
        right += interval_ends(line, interval, x, dtype, logs)
        derivation += INTERVAL_DERIVATION
    elif (offsets := expected.offsets) is not None:
        of_answered = right[0][answered].shape
        for end in shifted(middle, offsets, of_answered, dtype, logs):
            right.append(np.full_like(right[0], np.nan))
            right[-1][answered] = end
        derivation += offsets.derivation
    return right, derivation + of_logs


def too_large(dtype: Float) -> UserError:
    """Return the error for a model without an answer that can be checked."""
    return UserError(
        f"model.dtype: every answer is near to or beyond the largest {dtype}, so that no answer"
        " can be checked; scale the targets, or use float64"
    )


def predictions(
    line: Line, x: NDArray[np.float64], dtype: Float, logs: Places = ()
) -> NDArray[np.float64]:
    """Return a linear model's predictions for x [rows, features], rounded once: [rows, targets].

    logs: places of the targets of which the logarithm is fitted.
    """
    y = [_own_units(row, dtype, logs) for row in _exact(line, x)]
    return np.array(y).reshape(len(x), len(line.bias))


def _own_units(fitted: Iterable[Fraction], dtype: Float, logs: Places) -> list[float]:
    """Return fitted numbers of a row, one for each target, in their own units, rounded once."""

    def own(value: Fraction, place: int) -> float:
        if place not in logs:
            return nearest(value, dtype)
        return rounded(lambda: [own_unit.exactly(enclose(value), place, logs)], dtype)[0]

    return [own(value, place) for place, value in enumerate(fitted)]


def interval_ends(
    line: Line, interval: Interval, x: NDArray[np.float64], dtype: Float, logs: Places = ()
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the interval at x [rows, features], rounded once: [rows, targets] each.

    logs: as of `predictions`.
    """
    shape = len(x), len(line.bias)
    low, high = np.empty(shape), np.empty(shape)
    # Floats are balls without a radius.
    factor, scale = arb_mat(interval.factor.tolist()), interval.scale.tolist()
    centre = [Fraction(value) for value in interval.centre.tolist()]

    def both_ends(row: list[float], middle: list[Fraction]) -> list[Any]:
        offset = [enclose(Fraction(value) - c) for value, c in zip(row, centre, strict=True)]
        z = (arb_mat([offset]) * factor).entries()
        root = sum((each * each for each in z), arb(interval.constant)).sqrt()
        pairs = [(enclose(m), arb(each) * root) for m, each in zip(middle, scale, strict=True)]
        ends = [*(m - half for m, half in pairs), *(m + half for m, half in pairs)]
        return [own_unit.exactly(end, place % len(middle), logs) for place, end in enumerate(ends)]

    for index, (row, middle) in enumerate(zip(x.tolist(), _exact(line, x), strict=True)):
        ends = rounded(partial(both_ends, row, middle), dtype)
        low[index], high[index] = np.array(ends).reshape(2, -1)
    return low, high


def shifted(
    middle: Iterable[list[Fraction]],
    offsets: Offsets,
    shape: tuple[int, ...],
    dtype: Float,
    logs: Places = (),
) -> list[NDArray[np.float64]]:
    """Return both ends around the fitted answers `middle`, in own units, rounded once.

    shape: [rows, targets]. logs: as of `predictions`.
    """
    rows = [*middle]
    ends = []
    for end in (offsets.low, offsets.high):
        steps = [Fraction(each) for each in end]
        fitted = ([y + step for y, step in zip(row, steps, strict=True)] for row in rows)
        ends.append(np.array([_own_units(row, dtype, logs) for row in fitted]).reshape(shape))
    return ends


def _exact(line: Line, x: NDArray[np.float64]) -> Iterator[list[Fraction]]:
    """Yield a linear model's exact prediction, [targets], for each row of x [rows, features]."""

    def exact(values: list[float]) -> list[fmpq]:
        return [fmpq(*value.as_integer_ratio()) for value in values]

    weight = [exact(row) for row in line.weight.tolist()]
    bias, centre = exact(line.bias.tolist()), exact(line.centre.tolist())
    for row in x.tolist():
        offset = [value - middle for value, middle in zip(exact(row), centre, strict=True)]
        sums = [
            sum((w * o for w, o in zip(slopes, offset, strict=True)), start)
            for slopes, start in zip(weight, bias, strict=True)
        ]
        yield [Fraction(int(each.p), int(each.q)) for each in sums]
