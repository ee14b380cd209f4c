"""The solution of one target as balls, at any precision, with the certificate that it is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from flint import arb, arb_mat, ctx

from pipeline.exact import rounding
from pipeline.exact.correlations import Correlations
from pipeline.exact.normal_equations import FIRST_BITS, NormalEquations
from pipeline.exact.refinement import Refined

Numbers = Callable[[list[Any]], list[Any]]
"""Function from the coefficients of a solution's columns, balls, to balls."""


@dataclass(frozen=True)
class Certificate:
    """How a solution is known to be right."""

    proven: bool
    """True: the optimality conditions are proven, and each weight is correctly rounded."""
    gap: float = 0.0
    """If not proven: by how much the objective is at most above the smallest one that is possible,
    in shares of the objective without any weight. Rounded up."""


PROVEN = Certificate(proven=True)


class Solution(Protocol):
    """The solution of one target."""

    @property
    def columns(self) -> tuple[int, ...]:
        """Places in the Gram matrix of the columns with a coefficient; the others' are 0."""

    @property
    def certificate(self) -> Certificate:
        """How the solution is known to be right."""

    def balls(self) -> list[Any]:
        """Return the coefficients of the columns at the working precision.

        Raises ZeroDivisionError if a matrix cannot be told from a singular one.
        """

    def rounded(self, numbers: Numbers, dtype: str = "float64") -> list[float]:
        """Return the balls that `numbers` computes from the coefficients, correctly rounded."""


@dataclass(frozen=True, eq=False)
class Plain:
    """A solution without a penalty."""

    equations: NormalEquations
    """Of one target."""
    certificate = PROVEN

    @property
    def columns(self) -> tuple[int, ...]:
        """Places in the Gram matrix of the independent columns."""
        return self.equations.columns

    def balls(self) -> list[Any]:
        """Return the coefficients of the columns at the working precision."""
        solution: list[Any] = self.equations.at(ctx.prec).solution[0]
        return solution

    def rounded(self, numbers: Numbers, dtype: str = "float64") -> list[float]:
        """Return the balls that `numbers` computes from the coefficients, correctly rounded."""
        return self.equations.rounded(lambda balls: numbers(balls.solution[0]), dtype)


@dataclass(frozen=True, eq=False)
class Sparse:
    """A solution of the lasso: some standardized weights, in balls."""

    correlations: Correlations
    target: int
    places: Sequence[int]
    """Places in the columns of the correlations."""
    b: Callable[[], list[Any]]
    """Return the standardized weights at these places, at the working precision."""
    certificate: Certificate

    @property
    def columns(self) -> tuple[int, ...]:
        """Places in the Gram matrix of the columns with a coefficient."""
        ones = (0,) if self.correlations.intercept else ()
        return (*ones, *(self.correlations.columns[place] for place in self.places))

    def balls(self) -> list[Any]:
        """Return the coefficients of the columns at the working precision."""
        return self.correlations.coefficients(self.target, self.places, self.b())

    def rounded(self, numbers: Numbers, dtype: str = "float64") -> list[float]:
        """Return the balls that `numbers` computes from the coefficients, correctly rounded."""
        return _rounded(self, numbers, dtype)


class RidgePath:
    """The solutions of one target for several penalties l2 > 0, in balls."""

    def __init__(self, correlations: Correlations, target: int, penalties: Sequence[float]) -> None:
        """target: its place in the Gram matrix."""
        self.correlations, self.target, self.penalties = correlations, target, tuple(penalties)

    def b(self, place: int) -> list[Any]:
        """Return the standardized weights of a penalty at the working precision."""
        width = len(self.correlations.columns)
        if not width or self.correlations.is_constant(self.target):
            return [arb(0)] * width
        if ctx.prec == FIRST_BITS and (solution := self._refined[place]):
            return solution
        matrix = self.correlations.matrix(ctx.prec) * 1
        for i in range(matrix.nrows()):
            matrix[i, i] += arb(self.penalties[place])
        vector = self.correlations.with_target(self.target, ctx.prec)
        entries: list[Any] = matrix.solve(_column(vector), algorithm="lu").entries()
        return entries

    @cached_property
    def _refined(self) -> list[list[Any] | None]:
        """The solutions at FIRST_BITS; None where their error is not small.

        Guessed from the eigenvectors for all penalties at once. R is positive semidefinite, so no
        eigenvalue of a penalty's matrix is below l2.
        """
        values, vectors = np.linalg.eigh(self.correlations.floats)
        of_penalties = np.maximum(values, 0)[:, None] + np.array(self.penalties)
        vector = self.correlations.with_target(self.target, FIRST_BITS)
        refined = Refined(
            self.correlations.matrix(FIRST_BITS),
            arb_mat([[value] * len(self.penalties) for value in vector]),
            self.penalties,
            lambda residuals: vectors @ ((vectors.T @ residuals) / of_penalties),
        )
        rows = range(len(vector))
        solutions: list[list[Any] | None] = []
        for place, l2 in enumerate(self.penalties):
            error = refined.error(place, rows, l2)
            solutions.append(
                None if error is None else [refined.b[i, place] + arb(0, error) for i in rows]
            )
        return solutions


@dataclass(frozen=True, eq=False)
class Ridge:
    """A solution with an l2 penalty alone."""

    path: RidgePath
    place: int
    """Place of the penalty in the path."""
    certificate = PROVEN

    @property
    def columns(self) -> tuple[int, ...]:
        """Places in the Gram matrix of the column of ones and of the features that vary."""
        correlations = self.path.correlations
        return (*((0,) if correlations.intercept else ()), *correlations.columns)

    def balls(self) -> list[Any]:
        """Return the coefficients of the columns at the working precision."""
        correlations = self.path.correlations
        places = range(len(correlations.columns))
        return correlations.coefficients(self.path.target, places, self.path.b(self.place))

    def rounded(self, numbers: Numbers, dtype: str = "float64") -> list[float]:
        """Return the balls that `numbers` computes from the coefficients, correctly rounded."""
        return _rounded(self, numbers, dtype)


def _rounded(solution: Sparse | Ridge, numbers: Numbers, dtype: str) -> list[float]:
    def balls() -> list[Any]:
        try:
            return numbers(solution.balls())
        except ZeroDivisionError:  # at a higher precision the matrix is not singular
            return [arb.nan()]

    return rounding.rounded(balls, dtype)


def _column(values: Sequence[Any]) -> Any:
    return arb_mat([[value] for value in values])
