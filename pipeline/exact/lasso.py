"""Lasso and elastic net: solutions whose active set is proven, else with a proven duality gap.

A guess in float64 says which weights are not 0, and their signs. With these the solution follows
from linear equations, in balls, and the optimality conditions prove it, or refute the guess. So no
rounding of the guess can change a bit of the result.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import NDArray

from pipeline.exact.active_set import coordinate_descent, feature_sign_search
from pipeline.exact.correlations import Correlations
from pipeline.exact.lasso_proofs import proven_at_once
from pipeline.exact.normal_equations import FIRST_BITS
from pipeline.exact.rank import certainly_independent
from pipeline.exact.rounding import precision
from pipeline.exact.solutions import PROVEN, Certificate, Sparse

Floats = NDArray[np.float64]
Signs = tuple[tuple[int, int], ...]
"""Places of the weights that are not 0, in order, and their signs."""

PROOF_BITS = (128, 512, 4096)
"""Precisions of a proof. What is undecided at the last one is taken for equal."""

MOST_REPAIRS = 50
MOST_KEPT = 200
"""Solutions for some signs, each for an interval of l1."""


class Lasso:
    """Solver of the lasso of one target; solutions of one penalty after the other come faster."""

    def __init__(self, correlations: Correlations, target: int) -> None:
        """target: its place in the Gram matrix."""
        self._correlations, self._target = correlations, target
        self._lines: dict[tuple[Signs, float, int], tuple[list[Any], ...]] = {}
        self._no_weights = not correlations.columns or correlations.is_constant(target)

    def path(self, l1: Sequence[float], l2: float) -> list[Sparse]:
        """Return the solution for each l1 > 0, best the largest first, with an l2 ≥ 0."""
        if self._no_weights:
            return [self._solution((), value, l2) for value in l1]
        guesses = [np.zeros(len(self._correlations.columns))]
        for value in l1:
            guesses.append(feature_sign_search(*self._in_floats(value, l2), guesses[-1]))
        guesses = guesses[1:]
        proofs = proven_at_once(self._correlations, self._target, l1, l2, guesses)
        return [
            self._decided(guess, value, l2)
            if balls is None
            else self._solution(_signs(guess), value, l2, balls)
            for value, guess, balls in zip(l1, guesses, proofs, strict=True)
        ]

    def _in_floats(self, l1: float, l2: float) -> tuple[Floats, Floats, float]:
        with precision(PROOF_BITS[0]):
            threshold = float((arb(l1) / self._correlations.deviation(self._target)).mid())
        matrix = self._correlations.floats
        vector = self._correlations.target_floats(self._target)
        return matrix + l2 * np.eye(len(matrix)), vector, threshold

    def _decided(self, guess: Floats, l1: float, l2: float) -> Sparse:
        """Return the solution near to a guess that is not proven yet."""
        signs = self._proven(_signs(guess), l1, l2, is_unique=False)
        if signs is None:
            # From here on nothing depends on BLAS: this may be one of many solutions.
            b = coordinate_descent(*self._in_floats(l1, l2))
            signs = self._proven(self._independent(_signs(b), l2), l1, l2, is_unique=True)
            if signs is None:
                return self._with_gap(b, l1, l2)
        return self._solution(signs, l1, l2)

    def _solution(
        self, signs: Signs, l1: float, l2: float, first: list[Any] | None = None
    ) -> Sparse:
        """Return the solution with these signs. first: its weights in balls at FIRST_BITS."""
        places = [place for place, _ in signs]

        def balls() -> list[Any]:
            if first is not None and ctx.prec == FIRST_BITS:
                return first
            return self._at(signs, l1, l2)[0] if signs else []

        return Sparse(self._correlations, self._target, places, balls, PROVEN)

    def _at(self, signs: Signs, l1: float, l2: float) -> tuple[list[Any], list[Any]]:
        """Return b, and the correlation of each column with the residual less l2 · b, in balls.

        Both are linear in l1 as long as the signs and l2 stay the same.
        Raises ZeroDivisionError if the matrix cannot be told from a singular one.
        """
        key = signs, l2, ctx.prec
        if key not in self._lines:
            if len(self._lines) == MOST_KEPT:
                self._lines.clear()
            self._lines[key] = self._solved(signs, l2)
        threshold = arb(l1) / self._correlations.deviation(self._target)
        b0, b1, rest0, rest1 = self._lines[key]
        return (
            [a - threshold * c for a, c in zip(b0, b1, strict=True)],
            [a + threshold * c for a, c in zip(rest0, rest1, strict=True)],
        )

    def _solved(self, signs: Signs, l2: float) -> tuple[list[Any], ...]:
        correlations = self._correlations
        matrix = correlations.matrix(ctx.prec)
        vector = correlations.with_target(self._target, ctx.prec)
        size, width = len(signs), len(vector)
        if not signs:
            return [], [], vector, [arb(0)] * width
        places = [place for place, _ in signs]
        left, right = arb_mat(size, size), arb_mat(size, 2)
        columns = arb_mat(width, size)
        for i, (place, sign) in enumerate(signs):
            right[i, 0], right[i, 1] = vector[place], arb(sign)
            for j in range(width):
                columns[j, i] = matrix[j, place]
            for j, other in enumerate(places):
                left[i, j] = matrix[place, other]
            left[i, i] = left[i, i] + arb(l2)
        b = left.solve(right, algorithm="lu")
        product = columns * b
        return (
            [b[i, 0] for i in range(size)],
            [b[i, 1] for i in range(size)],
            [value - product[j, 0] for j, value in enumerate(vector)],
            [product[j, 1] for j in range(width)],
        )

    def _proven(self, signs: Signs, l1: float, l2: float, is_unique: bool) -> Signs | None:
        """Return the signs of the solution, proven; None if they are not near to `signs`.

        Signs that are refuted are repaired: wrong ones are left out, else the largest correlation
        that is too large is taken in.
        is_unique: False to prove, too, that there is no other solution.
        """
        for _ in range(MOST_REPAIRS):
            try:
                repaired, ties = self._checked(signs, l1, l2)
            except ZeroDivisionError:
                return None
            if repaired == signs:
                if ties and not is_unique and not self._are_independent(signs, ties, l2):
                    return None
                return signs
            signs = repaired
        return None

    def _checked(self, signs: Signs, l1: float, l2: float) -> tuple[Signs, list[int]]:
        """Return repaired signs, the same if they are right, and the places that are undecided."""
        is_last = False
        for bits in self._solvable(signs, l1, l2):
            is_last = bits == PROOF_BITS[-1]
            with precision(bits):
                b, rest = self._at(signs, l1, l2)
                threshold = arb(l1) / self._correlations.deviation(self._target)
                wrong = {p for (p, sign), v in zip(signs, b, strict=True) if v * sign < 0}
                if wrong:
                    return tuple(item for item in signs if item[0] not in wrong), []
                active = {place for place, _ in signs}
                ties = [p for (p, sign), v in zip(signs, b, strict=True) if not v * sign > 0]
                excess: dict[int, Any] = {}
                for place, value in enumerate(rest):
                    if place not in active and not abs(value) < threshold:
                        if abs(value) > threshold:
                            excess[place] = value
                        else:
                            ties.append(place)
                if excess:
                    place = max(excess, key=lambda p: (float(abs(excess[p]).mid()), -p))
                    sign = 1 if excess[place] > 0 else -1
                    return tuple(sorted((*signs, (place, sign)))), []
                if not ties:
                    return signs, []
        if not is_last:
            raise ZeroDivisionError("the matrix of the active columns is singular")
        return signs, ties

    def _solvable(self, signs: Signs, l1: float, l2: float) -> Iterator[int]:
        """Yield the precisions at which the matrix can be told from a singular one."""
        rank = self._correlations.gram.rows - self._correlations.intercept
        if len(signs) > rank and not l2:
            return
        for bits in PROOF_BITS:
            with precision(bits):
                try:
                    self._at(signs, l1, l2)
                except ZeroDivisionError:
                    continue
            yield bits

    def _are_independent(self, signs: Signs, ties: Sequence[int], l2: float) -> bool:
        places = sorted({place for place, _ in signs} | set(ties))
        return bool(l2) or len(self._independent(tuple((p, 1) for p in places), l2)) == len(places)

    def _independent(self, signs: Signs, l2: float) -> Signs:
        """Return the signs without the places of columns that depend on earlier ones."""
        if l2:
            return signs
        correlations = self._correlations
        ones = [0] if correlations.intercept else []
        columns = [correlations.columns[place] for place, _ in signs]
        kept = certainly_independent(correlations.gram, [*ones, *columns])
        return tuple(item for item in signs if correlations.columns[item[0]] in kept)

    def _with_gap(self, b: Floats, l1: float, l2: float) -> Sparse:
        """Return weights as they are, with a bound of the duality gap."""
        places = b.nonzero()[0].tolist()
        with precision(PROOF_BITS[0]):
            gap = float(self._gap(b, l1, l2).upper())
        return Sparse(
            self._correlations,
            self._target,
            places,
            lambda: [arb(value) for value in b[places].tolist()],
            Certificate(proven=False, gap=max(0.0, float(np.nextafter(gap, np.inf)))),
        )

    def _gap(self, b: Floats, l1: float, l2: float) -> Any:
        """Return the duality gap of weights over the objective without any weight, as a ball.

        The elastic net is the lasso of rows with √l2 below the standardized columns; residuals that
        are scaled until no correlation is above the threshold are feasible for its dual (Kim and
        others, *An Interior-Point Method for Large-Scale l1-Regularized Least Squares*, IEEE
        Journal of Selected Topics in Signal Processing 1, 2007).
        """
        correlations = self._correlations
        vector = correlations.with_target(self._target, ctx.prec)
        threshold = arb(l1) / correlations.deviation(self._target)
        values = arb_mat(len(b), 1, b.tolist())
        product = correlations.matrix(ctx.prec) * values
        rest, of_target, size, square = [], arb(1), arb(0), arb(1)
        for place, (value, inner) in enumerate(zip(b.tolist(), vector, strict=True)):
            image = product[place, 0] + arb(l2) * value
            rest.append(inner - image)
            size += abs(value)
            of_target -= inner * value
            square += value * (image - 2 * inner)
        largest = max((abs(value).upper() for value in rest), default=arb(0))
        scale = threshold / largest if largest > threshold else arb(1)
        return (1 + scale**2) * square + 2 * threshold * size - 2 * scale * of_target


def _signs(b: Floats) -> Signs:
    return tuple((place, 1 if b[place] > 0 else -1) for place in b.nonzero()[0].tolist())
