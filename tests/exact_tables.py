"""Tables whose fits must have the same bits everywhere, and all figures of a fit to compare."""

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import inference
from pipeline.exact.least_squares import Fit


def residual_std_error(fit: Fit) -> NDArray[np.float64]:
    """Return √(squares / degrees of freedom) of each target; NaN without degrees of freedom."""
    free = fit.degrees_of_freedom
    if not free:
        return np.full(len(fit.targets), np.nan)
    rounded = fit.equations.rounded(lambda balls: inference.residual_std_errors(balls, free))
    return np.array(rounded)


def figures(fit: Fit) -> list[str]:
    """Return every number of a fit, to the last bit."""
    arrays = (
        *(fit.weight, fit.bias, fit.std_error, fit.t, fit.p, fit.ci_low, fit.ci_high),
        *(fit.r2, residual_std_error(fit), np.array(fit.condition_number)),
        *fit.shipped("float32", np.full(len(fit.features), 0.1)),
        *fit.predict(np.full((1, len(fit.features)), 0.3)),
    )
    return [value.hex() for array in arrays for value in array.ravel().tolist()]


def noisy(rows: int, columns: int = 5, dtype: str = "float64") -> NDArray[np.float64]:
    """Return columns of different sizes; the digits of a few rows do not fit into slices."""
    random = np.random.default_rng(0)
    table = random.normal(size=(rows, columns)) * np.logspace(-9, 9, columns)
    table[:, 1] = random.integers(0, 50, rows)
    table[::97, 2] *= 1e-20
    return table.astype(dtype)


def integers(rows: int, columns: int = 5) -> NDArray[np.float64]:
    """Return random integers times powers of two: the same bits on any machine."""
    random = np.random.default_rng(rows)
    table = random.integers(-(2**20), 2**20, (rows, columns)).astype(float)
    table *= np.ldexp(1.0, random.integers(-30, 30, columns))
    return table
