"""Rows that are hard to answer: the inputs of the golden vectors.

Tiny and huge numbers, signed zeros, corners of the training range, and rows whose terms cancel.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.interval import Interval
from pipeline.exact.rounding import rounded_sum
from pipeline.learning.line import Line
from pipeline.onnx_model.contract_inputs import Float


def hard_rows(
    count: int,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    queries: NDArray[np.float64],
    line: Line | None,
    interval: Interval | None,
    dtype: Float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Return `count` hard rows and up to as many plain rows: [rows, features], in `dtype`.

    The hard rows come first. The plain rows replace rows whose answers are beyond `dtype`.
    low, high: [features], the training range. line: the model if it is linear; its largest rows
    have finite answers, and the terms of some rows cancel. interval: if the file has one.
    """
    features = len(low)
    kind = np.finfo(dtype)
    tiny = float(kind.smallest_normal)
    signs = random.choice([-1.0, 1.0], (count, features))
    middle = low / 2 + high / 2
    if line is None:
        largest = 10 * np.maximum(np.abs(low), np.abs(high))
    else:
        largest = np.full(features, _largest_answered(line, interval, float(kind.max)))
    alternate = np.arange(features) % 2 == 0
    rows = [
        *queries[:8],
        low,
        high,
        middle,
        np.where(alternate, low, high),
        np.where(alternate, high, low),
        np.zeros(features),
        np.full(features, -0.0),
        signs[0] * tiny,
        signs[1] * tiny * random.uniform(0, 1, features),
        np.full(features, float(kind.smallest_subnormal)),
        largest,
        -largest,
        signs[2] * largest,
        *_cancelling(low, high, line, random, 4),
    ]
    # Magnitudes from far below to far above the training range, of either sign.
    scale = np.maximum(np.maximum(np.abs(low), np.abs(high)), 1.0)
    with np.errstate(over="ignore", under="ignore"):
        while len(rows) < count:
            # Not 10 to a random power: the last bit of NumPy's power depends on the CPU.
            power = np.ldexp(random.uniform(1, 2, features), random.integers(-20, 10, features))
            rows.append(signs[len(rows)] * scale * power)
        rows = rows[:count]
        rows += list(low + (high - low) * random.uniform(0, 1, (count, features)))
        shipped = np.array(rows).astype(dtype).astype(np.float64)
    return shipped[np.isfinite(shipped).all(axis=1)]


def _largest_answered(line: Line, interval: Interval | None, largest: float) -> float:
    """Return a number near the largest one whose rows have finite answers.

    largest: the largest number of the dtype.
    """
    gain = max(rounded_sum(row) for row in np.abs(line.weight).tolist())
    if interval is None:
        return largest / 8 / max(1.0, gain)
    inner = rounded_sum(np.abs(interval.factor).ravel().tolist())
    gain += float(interval.scale.max()) * inner
    root = float(np.sqrt(np.finfo(np.float64).max))  # the number under the root is finite, too
    return min(largest / 8 / max(1.0, gain), root / 8 / max(1.0, inner))


def _cancelling(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    line: Line | None,
    random: np.random.Generator,
    count: int,
) -> list[NDArray[np.float64]]:
    """Return rows whose terms cancel almost entirely, so that rounding errors show in the answer.

    If the model is not linear: rows of the training range with the opposite sign.
    """
    rows = [low + (high - low) * random.uniform(0, 1, len(low)) for _ in range(count)]
    if line is None:
        return [-row for row in rows]
    target = random.integers(0, len(line.weight), count)
    for row, slopes, bias in zip(rows, line.weight[target], line.bias[target], strict=True):
        steepest = int(np.argmax(np.abs(slopes)))
        if slopes[steepest] != 0:
            terms = (row - line.centre) * slopes
            rest = rounded_sum([*np.delete(terms, steepest).tolist(), bias])
            row[steepest] = line.centre[steepest] - rest / slopes[steepest]
    return [row for row in rows if np.isfinite(row).all()]
