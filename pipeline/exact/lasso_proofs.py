"""Prove many guesses of a lasso's active set at once, where that needs no more than 128 bits.

Solving the equations of each active set in balls takes a cube of its size for each penalty; here
float64 does that, and the balls only tell how far it is off.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat

from pipeline.exact.correlations import Correlations, Floats
from pipeline.exact.normal_equations import FIRST_BITS
from pipeline.exact.refinement import EIGENVALUE, Refined, smallest_eigenvalue
from pipeline.exact.rounding import precision


def proven_at_once(
    correlations: Correlations,
    target: int,
    l1: Sequence[float],
    l2: float,
    guesses: Sequence[Floats],
) -> list[list[Any] | None]:
    """Return the standardized weights that are not 0, in balls, of each l1; None if not proven.

    target: not constant. guesses: of the standardized weights, [columns] for each l1. What is
    returned is the only solution: each weight has its sign, the correlation of each other column
    with the residual is below l1, and the matrix of the active columns has an inverse.
    """
    active = [guess.nonzero()[0] for guess in guesses]
    matrix = correlations.floats + l2 * np.eye(len(correlations.columns))
    inverses: dict[bytes, Floats | None] = {}

    def step(residuals: Floats) -> Floats:
        change = np.zeros(residuals.shape)
        for place, rows in enumerate(active):
            if (inverse := _inverse(matrix, rows, inverses)) is not None:
                change[rows, place] = inverse @ residuals[rows, place]
        return change

    with precision(FIRST_BITS):
        deviation = correlations.deviation(target)
        thresholds = [arb(value) / deviation for value in l1]
        right = _right_sides(correlations.with_target(target, FIRST_BITS), guesses, thresholds)
        refined = Refined(correlations.matrix(FIRST_BITS), right, [l2] * len(l1), step)
        return [
            _proven(correlations, refined, place, threshold, guess, l2)
            for place, (threshold, guess) in enumerate(zip(thresholds, guesses, strict=True))
        ]


def _inverse(matrix: Floats, rows: Any, inverses: dict[bytes, Floats | None]) -> Floats | None:
    key = rows.tobytes()
    if key not in inverses:
        try:
            inverses[key] = np.linalg.inv(matrix[np.ix_(rows, rows)]).astype(np.float64)
        except np.linalg.LinAlgError:
            inverses[key] = None
    return inverses[key]


def _right_sides(vector: list[Any], guesses: Sequence[Floats], thresholds: Sequence[Any]) -> Any:
    """Return the right side of the equations of each active set; of other columns the vector."""
    right = arb_mat([[value] * len(guesses) for value in vector])
    for place, (guess, threshold) in enumerate(zip(guesses, thresholds, strict=True)):
        for row in guess.nonzero()[0].tolist():
            right[row, place] -= threshold if guess[row] > 0 else -threshold
    return right


def _proven(
    correlations: Correlations,
    refined: Refined,
    place: int,
    threshold: Any,
    guess: Floats,
    l2: float,
) -> list[Any] | None:
    rows = guess.nonzero()[0]
    eigenvalue, matrix = l2, correlations.floats
    if len(rows) and eigenvalue < EIGENVALUE:
        eigenvalue = max(l2, smallest_eigenvalue(matrix[np.ix_(rows, rows)]))
    error = refined.error(place, rows.tolist(), eigenvalue) if len(rows) else arb(0)
    if error is None:
        return None
    b = []
    for row in rows.tolist():
        value = refined.b[row, place]
        if not (value if guess[row] > 0 else -value) > error:
            return None
        b.append(value + arb(0, error))
    # The matrix is positive semidefinite: no row of it is longer than this, with twice to spare.
    diagonal = matrix.diagonal()
    longest = 2 * math.sqrt(diagonal.max() * diagonal[rows].sum())
    allowed = threshold - error * longest
    for row in np.flatnonzero(guess == 0).tolist():
        if not abs(refined.residuals[row, place]) < allowed:
            return None
    return b
