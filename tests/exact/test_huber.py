"""The minimum of the Huber loss is that of statsmodels, and its gradient is zero."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from pipeline.exact import huber
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.huber import NotConvergedError
from pipeline.exact.least_squares import Fit, fit

Floats = NDArray[np.float64]


def a_table(rows: int = 80, seed: int = 0) -> Floats:
    """Return columns a, b and y, whose errors have long tails."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2)) * [1, 50] + [0, 2_000]
    return np.column_stack([x, 5 + x @ [2.0, -0.3] + random.standard_t(1.5, size=rows)])


def blocks_of(table: Floats, weights: Floats | None) -> Callable[[], Iterator[huber.Rows]]:
    def blocks() -> Iterator[huber.Rows]:
        for begin in range(0, len(table), 33):
            block = slice(begin, begin + 33)
            yield table[block], None if weights is None else weights[block]

    return blocks


def minimum(
    table: Floats, threshold: float, weights: Floats | None = None, intercept: bool = True
) -> Fit:
    start = fit(gram_matrix(table, weights=weights), ["a", "b"], ["y"], intercept)
    return huber.minimum(blocks_of(table, weights), ["a", "b"], "y", intercept, threshold, start)


def threshold_of(table: Floats) -> float:
    start = fit(gram_matrix(table), ["a", "b"], ["y"])
    sizes = np.abs(huber.residuals_of(table, np.append(start.weight[0], start.bias[0])))
    return float(1.345 * np.median(sizes) / 0.6744897501960817)


@pytest.mark.parametrize("seed", range(5))
def test_the_minimum_is_that_of_statsmodels(seed: int) -> None:
    table = a_table(seed=seed)
    found = minimum(table, threshold_of(table))
    model = sm.RLM(table[:, 2], sm.add_constant(table[:, :2]), M=sm.robust.norms.HuberT(1.345))
    theirs = model.fit(update_scale=False, maxiter=5_000, tol=1e-14, conv="coefs").params
    assert np.allclose([found.bias[0], *found.weight[0]], theirs, rtol=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("threshold", [0.5, 2.0, 1e9])
def test_the_gradient_is_zero(threshold: float, intercept: bool) -> None:
    """Of the exact solution; the rounded one is as near as its last digits."""
    table = a_table()
    found = minimum(table, threshold, intercept=intercept)
    weight, bias = [Fraction(w) for w in found.weight[0]], Fraction(found.bias[0])
    gradient, size = [Fraction(0)] * 3, [Fraction(0)] * 3
    for row in table.tolist():
        *x, y = map(Fraction, row)
        residual = y - bias - sum(a * b for a, b in zip(weight, x, strict=True))
        slope = max(-Fraction(threshold), min(Fraction(threshold), residual))
        for place, each in enumerate([*x, Fraction(intercept)]):
            gradient[place] += slope * each
            size[place] += abs(slope * each)
    assert all(abs(g) <= s * Fraction(1, 10**11) for g, s in zip(gradient, size, strict=True))
    if threshold == 1e9:
        plain = fit(gram_matrix(table), ["a", "b"], ["y"], intercept)
        assert found.weight.tolist() == plain.weight.tolist()


def test_weights_are_repeated_rows_in_any_order() -> None:
    table, times = a_table(), np.arange(80) % 3 + 1
    weighted = minimum(table, 1.5, times.astype(np.float64))
    repeated = np.repeat(table, times, axis=0)
    for other in (repeated, repeated[::-1]):
        found = minimum(other, 1.5)
        assert found.weight.tolist() == weighted.weight.tolist()
        assert found.bias.tolist() == weighted.bias.tolist()


def test_a_row_on_the_threshold_is_taken_exactly() -> None:
    """0.1 + 0.2 is not 0.3: rows near the threshold are compared without rounding."""
    table = np.array([[0.0, 0.3], [1.0, 0.3 + 2**-54], [2.0, -0.3]])
    line = np.array([0.0, 0.0])
    sizes = np.abs(huber.residuals_of(table, line))
    inside = huber._exactly_inside(table, line, sizes, 0.3)
    assert inside.tolist() == [abs(Fraction(y)) <= Fraction(0.3) for y in table[:, 1].tolist()]


def test_a_threshold_that_no_row_is_within_is_refused() -> None:
    with pytest.raises(NotConvergedError):
        minimum(a_table(), 1e-300)
