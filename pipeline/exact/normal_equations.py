"""The normal equations of exact columns: which are independent, and the solution of those.

What is an integer or a fraction is computed as such; the rest in balls whose precision doubles
until each rounds to one float.
"""

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from flint import arb, arb_mat, fmpz_mat, nmod_mat

from pipeline.exact.gram import Gram
from pipeline.exact.rounding import certain, enclose, exactly, precision, quantile, settled, shift

CONFIDENCE = Fraction(95, 100)

# Bits to begin with. What rounds to two numbers after so many as LIMIT is zero or a tie.
START, LIMIT = 128, 4096

PRIMES = (2**61 - 1, 2**59 - 55, 2**57 - 13, 2**55 - 55, 2**53 - 111)


def independent(
    table: Gram, columns: list[int]
) -> tuple[list[int], dict[int, list[tuple[int, Fraction]]]]:
    """The columns that are no combination of those before them, and the combination of the others.

    A rank modulo a prime is never larger than the true one: what is independent there is so for
    certain. What is dependent there is solved for with integers, and tried.
    """
    size = len(columns)
    if not size:
        return [], {}
    entries = [[table.entries[i][j] for j in columns] for i in columns]
    for prime in PRIMES:
        reduced, rank = nmod_mat(
            size, size, [e % prime for row in entries for e in row], prime
        ).rref()
        pivots, row = [], 0
        for column in range(size):
            if row < rank and int(reduced[row, column]):
                pivots.append(column)
                row += 1
        others = [column for column in range(size) if column not in pivots]
        if not others:
            return columns, {}
        found: dict[int, list[tuple[int, Fraction]]] = {columns[o]: [] for o in others}
        if pivots:
            square = fmpz_mat([[entries[i][j] for j in pivots] for i in pivots])
            right = fmpz_mat([[entries[i][j] for j in others] for i in pivots])
            solved: Any = square.solve(right)
            rest = fmpz_mat([[entries[i][j] for j in pivots] for i in others])
            if rest * solved != fmpz_mat([[entries[i][j] for j in others] for i in others]):
                continue
            for place, other in enumerate(others):
                for row, pivot in enumerate(pivots):
                    factor = solved[row, place]
                    if factor != 0:
                        exponent = table.exponents[columns[other]] - table.exponents[columns[pivot]]
                        exact = Fraction(int(factor.p), int(factor.q)) * Fraction(2) ** exponent
                        found[columns[other]].append((columns[pivot], exact))
                        assert pivot < other, "the prime took a later column for an earlier one"
        elif any(entries[o][o] for o in others):
            continue
        kept = [columns[pivot] for pivot in pivots]
        # The constant comes last in a formula.
        return kept, {k: sorted(c, key=lambda term: term[0] == 0) for k, c in found.items()}
    raise AssertionError("five primes divide the same determinant")


class System:
    """The normal equations of the columns that are kept, as integers."""

    def __init__(self, table: Gram, kept: tuple[int, ...], answers: tuple[int, ...]) -> None:
        self.table, self.kept, self.answers = table, kept, answers
        self._balls: dict[int, Balls] = {}
        self._exact: list[list[Fraction]] | None = None
        self.perfect = [self._is_perfect(answer) for answer in answers]

    @property
    def place_of_ones(self) -> int | None:
        """Where the column of ones stands among the kept ones, if it does."""
        return 0 if self.kept and self.kept[0] == 0 else None

    def _is_perfect(self, answer: int) -> bool:
        """Whether the columns give the answer exactly."""
        return answer in independent(self.table, [*self.kept, answer])[1]

    def exact(self) -> list[list[Fraction]]:
        """The solution as fractions: for each target, that of each kept column."""
        if self._exact is None:
            entries, exponents = self.table.entries, self.table.exponents
            left = fmpz_mat([[entries[i][j] for j in self.kept] for i in self.kept])
            right = fmpz_mat([[entries[i][j] for j in self.answers] for i in self.kept])
            solved = left.solve(right)
            self._exact = [
                [
                    Fraction(int(solved[i, j].p), int(solved[i, j].q))
                    * Fraction(2) ** (exponents[answer] - exponents[index])
                    for i, index in enumerate(self.kept)
                ]
                for j, answer in enumerate(self.answers)
            ]
        return self._exact

    def exact_squares(self) -> list[Fraction]:
        """The residual sums of squares as fractions."""
        return [
            self.table.inner(answer, answer)
            - sum(
                (c * self.table.inner(i, answer) for c, i in zip(column, self.kept, strict=True)),
                Fraction(0),
            )
            for column, answer in zip(self.exact(), self.answers, strict=True)
        ]

    def squares(self) -> tuple[Fraction, ...]:
        """The residual sums of squares: as fractions if they are short, else to 128 digits."""
        if len(self.kept) <= 64:
            return tuple(self.exact_squares())
        for bits in self.precisions():
            with precision(bits):
                balls = self.at(bits).squares
                if all(b.is_zero() or b.rel_accuracy_bits() >= START for b in balls):
                    return tuple(exactly(ball.mid()) for ball in balls)
        raise AssertionError("unreachable: there are always more bits")

    def precisions(self) -> Iterator[int]:
        """Numbers of bits to compute with, each twice the one before, for ever.

        Those that cannot tell the matrix from a singular one are left out.
        """
        for doubling in itertools.count():
            bits = START << doubling
            with precision(bits):
                try:
                    self.at(bits)
                except ZeroDivisionError:
                    continue
            yield bits

    def at(self, bits: int) -> "Balls":
        """The solution in balls of so many bits, computed once."""
        if bits not in self._balls:
            self._balls[bits] = Balls(self)
        return self._balls[bits]

    def rounded(
        self, numbers: Callable[["Balls"], list[Any]], dtype: str = "float64"
    ) -> list[float]:
        """What `numbers` computes in balls, correctly rounded to `dtype`."""
        for bits in self.precisions():
            with precision(bits):
                balls = numbers(self.at(bits))
                found = [certain(ball, dtype) for ball in balls]
                if None not in found:
                    return [value for value in found if value is not None]
            if bits >= LIMIT:
                break
        # Zeros and ties, with the solution known exactly; not what has no digits yet, because the
        # matrix is nearly singular at these bits, too.
        for bits in self.precisions():
            if bits < LIMIT:
                continue
            with precision(bits):
                balls = numbers(Balls(self, self.exact(), self.exact_squares()))
                if all(
                    certain(ball, dtype) is not None or ball.rel_accuracy_bits() >= LIMIT // 2
                    for ball in balls
                ):
                    return [settled(ball, dtype) for ball in balls]
        raise AssertionError("unreachable: there are always more bits")


class Balls:
    """The solution at the working precision, in balls that hold it for certain."""

    def __init__(
        self,
        system: System,
        solution: list[list[Fraction]] | None = None,
        squares: list[Fraction] | None = None,
    ) -> None:
        table, kept, answers = system.table, system.kept, system.answers
        entries, exponents = table.entries, table.exponents
        # Columns are scaled by powers of two to a size near 1.
        scale = [-(entries[i][i].bit_length() // 2) for i in kept]
        sizes = [-(entries[i][i].bit_length() // 2) for i in answers]
        matrix = (
            arb_mat(
                [
                    [shift(entries[i][j], a + b) for j, b in zip(kept, scale, strict=True)]
                    for i, a in zip(kept, scale, strict=True)
                ]
            )
            if kept
            else arb_mat(0, 0)
        )
        right = [
            [shift(entries[i][j], a + b) for i, a in zip(kept, scale, strict=True)]
            for j, b in zip(answers, sizes, strict=True)
        ]
        scaled = matrix.inv()
        self.scaled, self.matrix = scaled, matrix
        units = [a - exponents[i] for i, a in zip(kept, scale, strict=True)]
        n = range(len(kept))
        self.inverse = scaled * 1
        for i in n:
            for j in n:
                self.inverse[i, j] = shift(scaled[i, j], units[i] + units[j])
        if solution is None or squares is None:
            plain = [[sum((scaled[i, k] * b[k] for k in n), arb(0)) for i in n] for b in right]
            self.solution = [
                [shift(x, u + exponents[j] - s) for x, u in zip(column, units, strict=True)]
                for column, j, s in zip(plain, answers, sizes, strict=True)
            ]
            self.squares = [
                arb(0)
                if perfect
                else shift(
                    shift(entries[j][j], 2 * s)
                    - sum((x * y for x, y in zip(column, b, strict=True)), arb(0)),
                    2 * (exponents[j] - s),
                )
                for column, b, j, s, perfect in zip(
                    plain, right, answers, sizes, system.perfect, strict=True
                )
            ]
        else:
            self.solution = [[enclose(value) for value in column] for column in solution]
            self.squares = [enclose(value) for value in squares]
        self._quantiles: dict[int, Any] = {}

    def errors(self, free: int) -> list[Any]:
        """The standard errors of the solution of each target, one after the other."""
        variances = [self.inverse[i, i] for i in range(self.inverse.nrows())]
        return [(s / free * v).sqrt() for s in self.squares for v in variances]

    def terms(self) -> list[Any]:
        """The solution of each target, one after the other."""
        return [term for column in self.solution for term in column]

    def ratios(self, free: int) -> list[Any]:
        """Each term in standard errors, Student's t; zero where there is no error."""
        pairs = zip(self.terms(), self.errors(free), strict=True)
        return [arb(0) if error.is_zero() else term / error for term, error in pairs]

    def ends(self, free: int, side: int) -> list[Any]:
        """The lower (side −1) or upper (1) end of each term's 95 % confidence interval."""
        reach = self.quantile(free) * side
        return [t + e * reach for t, e in zip(self.terms(), self.errors(free), strict=True)]

    def quantile(self, free: int) -> Any:
        """The t of 95 % confidence, computed once."""
        if free not in self._quantiles:
            self._quantiles[free] = quantile(CONFIDENCE, free)
        return self._quantiles[free]
