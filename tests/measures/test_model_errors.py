"""Errors of a model do not depend on how the rows were divided, nor on the order of parts."""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.model_errors import MOST_LARGEST, ROWS_AT_A_TIME, Errors, predictions

Floats = NDArray[np.float64]


def doubled(x: Floats) -> Floats:
    """Return the predictions for two targets: x and 2x."""
    return np.column_stack([x, 2 * x])


def noisy(rows: int, decimals: int) -> Floats:
    """Return a feature and two targets; rounding makes errors equal."""
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 1))
    noise = random.standard_t(3, size=(rows, 2))
    return np.asarray(np.round(np.hstack([x, doubled(x) + noise]), decimals), np.float64)


def errors_of(rows: Floats, sizes: list[int]) -> list[Errors]:
    """Return the errors of parts of these sizes."""
    parts, before = [], 0
    for part in np.split(rows, np.cumsum(sizes)[:-1]):
        none = Errors.of_no_rows(3, 2, with_squares=True)
        middle = len(part) // 3
        first = none.with_later(part[:middle], doubled, before)
        parts.append(first.with_later(part[middle:], doubled, before + middle))
        before += len(part)
    return parts


def test_any_division_and_order_gives_the_same() -> None:
    for decimals in (15, 1):
        rows = noisy(3_000, decimals)
        whole = Errors.of_no_rows(3, 2, with_squares=True).with_later(rows, doubled, 0)
        sizes = np.abs(rows[:, 1:] - doubled(rows[:, :1]))
        assert whole.rows == 3_000
        assert float(whole.absolute) == math.fsum(sizes.ravel().tolist())
        assert whole.squares == sum(map(Fraction, (sizes**2).ravel().tolist()))
        for target, largest in enumerate(whole.largest):
            order = np.argsort(-sizes[:, target], kind="stable")[:MOST_LARGEST]
            assert largest.places.tolist() == order.tolist()
            assert np.array_equal(largest.sizes, sizes[order, target])
            assert np.array_equal(largest.rows, rows[order])
            assert np.array_equal(largest.predicted, doubled(rows[order, :1])[:, target])
        parts = errors_of(rows, [1, 0, 700, 5, 2_294])
        for parts_in_order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
            total = Errors.of_no_rows(3, 2, with_squares=True)
            for part in parts_in_order:
                total += parts[part]
            assert (total.rows, total.absolute, total.squares) == (
                whole.rows,
                whole.absolute,
                whole.squares,
            )
            for one, other in zip(total.largest, whole.largest, strict=True):
                assert np.array_equal(one.places, other.places)
                assert np.array_equal(one.rows, other.rows)


def test_a_model_predicts_few_rows_at_a_time() -> None:
    """A module that is not linear may need much memory for each row."""
    asked = []

    def predict(x: Floats) -> Floats:
        asked.append(len(x))
        return x

    x = np.arange(2 * ROWS_AT_A_TIME + 3.0)[:, None]
    assert np.array_equal(predictions(x, predict, 1), x)
    assert asked == [ROWS_AT_A_TIME, ROWS_AT_A_TIME, 3]
