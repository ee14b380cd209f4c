"""Guesses of a lasso's solution in float64: which weights are not 0, and their signs."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-12
"""A correlation that is above the threshold by less is not taken in: a proof decides about it."""

MOST_UPDATES = 500_000
"""Of single weights by coordinate descent: two seconds."""
SETTLED = 2.0**-50
"""Smaller updates, beside the largest weight, may go on for ever: the last bits turn in circles."""


def feature_sign_search(matrix: Floats, vector: Floats, threshold: float, start: Floats) -> Floats:
    """Return the b that minimises ½ bᵀ M b − vᵀ b + threshold · Σ |b|, as LAPACK rounds it.

    An active-set method (Lee, Battle, Raina and Ng, *Efficient sparse coding algorithms*, NIPS 19,
    2006). matrix: M, [columns, columns]; vector: v, [columns]; start: [columns], near the solution.
    May end before the solution, where M is nearly singular.
    """
    b, size = start.copy(), len(start)
    signs, latest = np.sign(b), -1
    for _ in range(10 * size + 20):
        active = signs.nonzero()[0]
        try:
            wanted = np.linalg.solve(
                matrix[np.ix_(active, active)], vector[active] - threshold * signs[active]
            )
        except np.linalg.LinAlgError:
            break
        crossing = wanted * signs[active] <= 0
        if crossing.any():
            # To the first weight that becomes 0 on the way; the objective falls until there.
            now = b[active]
            with np.errstate(invalid="ignore", divide="ignore"):
                shares = np.where(crossing, now / (now - wanted), np.inf)
            shares = np.nan_to_num(shares, nan=0.0, posinf=np.inf)
            first = int(shares.argmin())
            b[active] = now + shares[first] * (wanted - now)
            gone = active[first]
            if gone == latest and not shares[first]:
                break  # nearly singular: what is taken in has the wrong sign
            b[gone] = signs[gone] = 0
            continue
        b[active] = wanted
        rest = np.abs(vector - matrix[:, active] @ wanted)
        rest[active] = 0
        largest = int(rest.argmax()) if size else 0
        if not size or not rest[largest] > threshold + TOLERANCE:
            break
        latest = largest
        sign = np.sign(vector[latest] - matrix[latest, active] @ wanted)
        if _exchange(matrix, b, active, latest, sign):
            signs = np.sign(b)
        else:
            signs[latest] = sign
    return b if np.isfinite(b).all() else np.zeros(size)


def _exchange(matrix: Floats, b: Floats, active: NDArray[np.int64], new: int, sign: float) -> bool:
    """Take in a column that depends on the active ones, in place of one of these; change b.

    The fit to the target stays, while Σ |b| falls until the first active weight is 0: a step of the
    simplex method. Return False, with b as it was, if the column is independent of the active ones.
    """
    try:
        combination = np.linalg.solve(matrix[np.ix_(active, active)], matrix[active, new])
    except np.linalg.LinAlgError:
        return False
    if matrix[new, new] - matrix[new, active] @ combination > TOLERANCE:
        return False
    now, change = b[active], -sign * combination
    falling = now * change < 0
    if not falling.any():
        return False
    shares = np.full(len(active), np.inf)
    shares[falling] = -now[falling] / change[falling]
    first = int(shares.argmin())
    b[active] = now + shares[first] * change
    b[active[first]], b[new] = 0, sign * shares[first]
    return True


def coordinate_descent(matrix: Floats, vector: Floats, threshold: float) -> Floats:
    """Return the same b by coordinate descent from 0 in the order of the columns.

    Slower, and the same bits on every CPU: every operation is elementwise.
    """
    size = len(vector)
    b, rest = np.zeros(size), vector.copy()
    diagonal = matrix.diagonal().tolist()
    columns = range(size)
    for _ in range(max(100, MOST_UPDATES // max(1, size))):
        largest = 0.0
        for j in columns:
            old = float(b[j])
            inner = float(rest[j]) + diagonal[j] * old
            new = math.copysign(max(abs(inner) - threshold, 0.0), inner) / diagonal[j]
            if new != old:
                rest -= matrix[j] * (new - old)
                b[j] = new
                largest = max(largest, abs(new - old))
        if largest <= SETTLED * float(np.abs(b).max(initial=0.0)):
            break
    return b
