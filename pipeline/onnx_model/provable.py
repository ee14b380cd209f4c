"""Golden vectors that prove something: the bound of an answer is small beside the answers.

The clients refuse a contract with wider bounds, as they refuse one that was tampered with. A row
far beyond the training rows can have such a bound for no fault of the model, above all with terms
and with the logarithm of a target: such a row is left out. Rows in range are never left out: where
their bounds prove nothing, there must be no file.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.date import GAP, DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan
from pipeline.onnx_model.contract import Output
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.feed import Inputs

WIDEST_BOUND = 0.01
"""The widest bound as a share of the size of the answers; the clients have the same number."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def distance_of_matrix(x: Floats, low: Floats, high: Floats) -> Floats:
    """Return how far each row lies beyond the training range, relative to it; 1 if it does not.

    x: [rows, features]. low, high: the range of each, as it is in the contract.
    """
    with np.errstate(over="ignore"):
        columns = [_beyond(*each) for each in zip(x.T, low, high, strict=True)]
    largest: Floats = np.max(columns, axis=0, initial=1.0)
    return largest


def distance_of_table(inputs: Inputs, plan: Plan) -> Floats:
    """Return the same of raw rows. plan: with the ranges of the contract; see `feed.shipped`."""
    distance = np.ones(len(next(iter(inputs.values()))))
    for column in plan.columns:
        values = inputs[column.name]
        if isinstance(column, NumberColumn):
            fill = np.nan if column.fill is None else column.fill
            x = np.where(np.isnan(values), fill, values.astype(np.float64))
        elif isinstance(column, DateColumn):
            x = np.where(values == GAP, np.nan, values.astype(np.float64))
        else:
            continue
        with np.errstate(over="ignore"):
            distance = np.fmax(distance, _beyond(x, column.min, column.max))
    return distance


def _beyond(x: Floats, low: float, high: float) -> Floats:
    reach = max(abs(low), abs(high)) or 1.0
    return np.fmax(np.abs(x) / reach, 1.0)


def rows(
    outputs: Sequence[Output],
    answers: Sequence[Floats],
    bounds: Sequence[Floats],
    distance: Floats,
    inside: Bools,
    width: int,
    dtype: Float,
) -> Bools:
    """Return True for each row whose bounds the clients accept, and for each row in range: [rows].

    answers, bounds: of each output, [rows, columns]; an answer is NaN where a row is refused.
    distance, inside: of each row. width: number of features of the model.
    """
    kind = np.finfo(dtype)
    share = max(WIDEST_BOUND, float(kind.eps) * (width + 3) ** 2)
    of_targets: dict[tuple[str, ...], list[tuple[Floats, Floats]]] = {}
    for output, *numbers in zip(outputs, answers, bounds, strict=True):
        if output.meaning != "in_range":
            of_targets.setdefault(output.targets, []).append((np.abs(numbers[0]), numbers[1]))
    kept = np.ones(len(distance), np.bool_)
    while True:  # without a row the largest answer may be smaller
        wide = np.zeros_like(kept)
        for real in of_targets.values():
            own = np.nan_to_num(np.fmax.reduce([right for right, _ in real]), nan=0.0)
            near = own[kept & (distance == 1)]
            largest = near.max(axis=0, initial=0.0) + float(kind.smallest_normal)
            with np.errstate(over="ignore"):
                reached = np.minimum(distance[:, None] * largest, float(kind.max))
            size = np.maximum(reached, own)
            wide |= np.logical_or.reduce([bound > share * size for _, bound in real]).any(axis=1)
        left_out = kept & wide & ~inside
        if not left_out.any():
            return kept
        kept &= ~left_out
