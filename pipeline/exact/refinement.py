"""Many solutions of linear equations at once: in float64, refined, each with a proven error.

The residual of a solution is computed in balls, its correction in float64 (iterative refinement:
Wilkinson, *Rounding Errors in Algebraic Processes*, 1963). How it was guessed does not matter: the
residual over the smallest eigenvalue of the matrix bounds the error.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from pipeline.exact.normal_equations import FIRST_BITS
from pipeline.exact.rounding import precision

Floats = NDArray[np.float64]
Step = Callable[[Floats], Floats]
"""Function from residuals to corrections, both [columns, solutions]."""

MOST_REFINEMENTS = 5
SMALL_ERROR_BITS = 80
"""An error below 2^-80 of a standardized weight leaves one float64 nearly always."""

EIGENVALUE = 2.0**-30
"""A smallest eigenvalue that is below it is not bounded here."""


class Refined:
    """Solutions of M b + l2 · b = right at a precision of FIRST_BITS, with their residuals."""

    def __init__(self, matrix: Any, right: Any, l2: Sequence[float], step: Step) -> None:
        """matrix: M, an arb_mat [columns, columns]; right: an arb_mat [columns, solutions].

        l2: [solutions]. Rows of a solution that `step` leaves at 0 stay 0, their residual is not.
        """
        size, count = right.nrows(), right.ncols()
        with precision(FIRST_BITS):
            diagonal = arb_mat(count, count)
            for place, value in enumerate(l2):
                diagonal[place, place] = arb(value)
            self.b, self.residuals = arb_mat(size, count), right
            last = np.inf
            for _ in range(MOST_REFINEMENTS):
                with np.errstate(all="ignore"):  # of nearly singular matrices, solved otherwise
                    change = step(_floats(self.residuals))
                largest = float(np.abs(change).max(initial=0.0))
                if not largest < last:  # nothing is gained any more, or never was
                    break
                last = largest
                self.b = (self.b + arb_mat(size, count, change.ravel().tolist())).mid()
                self.residuals = right - matrix * self.b
                if any(l2):
                    self.residuals -= self.b * diagonal
                if largest < 2.0**-SMALL_ERROR_BITS:
                    break

    def error(self, place: int, rows: Sequence[int], eigenvalue: float) -> Any | None:
        """Return a bound of the distance of a solution from the right one, a ball; None if large.

        rows: those of its equations, the others being 0. eigenvalue: a lower bound of all
        eigenvalues of their matrix with l2, or 0 if there is none. At a precision of FIRST_BITS.
        """
        if not eigenvalue:
            return None
        length = sum((self.residuals[i, place].abs_upper() ** 2 for i in rows), arb(0)).sqrt()
        error = (length / arb(eigenvalue)).upper()
        return error if error < arb(2) ** -SMALL_ERROR_BITS else None


def smallest_eigenvalue(matrix: Floats) -> float:
    """Return a proven lower bound of the eigenvalues of a correlation matrix; 0 if it is tiny.

    matrix: float64, each entry rounded once. If Cholesky's method runs to its end in float64, the
    matrix is nearly positive semidefinite, whatever the order of its sums (Rump, *Verification of
    positive definiteness*, BIT Numerical Mathematics 46, 2006).
    """
    size = len(matrix)
    try:
        np.linalg.cholesky(matrix - EIGENVALUE * np.eye(size))
    except np.linalg.LinAlgError:
        return 0.0
    # Rump's bound of rounding errors, and that of the rounding of the entries, twice over.
    lost = 2.0**-52 * (size + 2) * float(np.trace(matrix)) * 2
    return max(0.0, EIGENVALUE - lost)


def _floats(matrix: Any) -> Floats:
    numbers = [float(ball.mid()) for ball in matrix.entries()]
    return np.array(numbers).reshape(matrix.nrows(), matrix.ncols())
