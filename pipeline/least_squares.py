"""Least squares without rounding error: the exact solution of a table's exact Gram matrix.

Whether columns depend on each other is decided with integers. The rest is computed in balls of real
numbers (Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval arithmetic*, 2017)
whose precision doubles until each of them rounds to one number only. So every figure is correctly
rounded: at any condition number, for any order of the rows, on any machine.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from pipeline.gram import Gram, gram

__all__ = ["Fit", "Gram", "fit", "gram", "seconds", "squared_error"]

CONFIDENCE = Fraction(95, 100)

# What rounds to two numbers still is zero or a tie, and decided with integers.
START, LIMIT = 128, 4096

PRIMES = (2**61 - 1, 2**59 - 55, 2**57 - 13, 2**55 - 55, 2**53 - 111)

# A column is nearly dependent if what the others leave of it is no more than so many times what the
# rounding of all of them can have made.
ROUNDINGS = 4

# Of the columns that near dependence ties together, those with this share of the largest part.
SHARE = 1e-3

# Digits: of float64 and float32, with the exponent of their smallest number.
FORMATS = {"float64": (53, -1074, 1024), "float32": (24, -149, 128)}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dependent:
    """A column that is an exact combination of columns before it."""

    name: str
    combination: tuple[tuple[str | None, Fraction], ...]
    """Names and factors; the name of the column of ones is None."""

    def __str__(self) -> str:
        if not self.combination:
            return f"{self.name} is zero in every row"
        (first, factor), *others = self.combination
        if not others and first is None:
            return f"{self.name} is {_short(factor)} in every row"
        if not others and factor == 1:
            return f"{self.name} is a copy of {first}"
        shown = [_term(name, factor) for name, factor in self.combination[:6]]
        text = " + ".join(shown).replace("+ −", "− ")
        more = len(self.combination) - len(shown)
        return f"{self.name} = {text}" + (f" + {more} terms more" if more else "")


def _term(name: str | None, factor: Fraction) -> str:
    sign = "−" if factor < 0 else ""
    if name is None:
        return sign + _short(abs(factor))
    return f"{sign}{name}" if abs(factor) == 1 else f"{sign}{_short(abs(factor))}·{name}"


def _short(value: Fraction) -> str:
    return f"{float(value):g}"


@dataclass(frozen=True)
class Nearly:
    """Columns that depend on each other to within the rounding of their numbers."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.names[:8]) + (", …" if len(self.names) > 8 else "")
        if len(self.names) == 1:
            return f"{shown} is constant, to within the rounding of its numbers"
        return f"{shown} say the same, to within the rounding of their numbers"


@dataclass(frozen=True)
class Fit:
    """The least-squares solution. Each float is correctly rounded.

    Arrays are [targets] or [targets, terms]; terms are the features and, with an intercept, the
    bias. What does not exist is NaN: errors of a column that was dropped, or without degrees of
    freedom; t and p where there is no error at all.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    intercept: bool
    rows: int
    rank: int
    degrees_of_freedom: int
    """rows − rank"""
    weight: Floats
    """[targets, features]; 0 for a column that was dropped"""
    bias: Floats
    """[targets]; 0 without an intercept"""
    squares: tuple[Fraction, ...]
    """The residual sum of squares of each target: exact, or to 2^-128 of itself if it is long."""
    r2: Floats
    """[targets]: 1 − squares / variation around the mean; around 0 without an intercept"""
    residual_std_error: Floats
    """[targets]: √(squares / degrees of freedom)"""
    std_error: Floats
    t: Floats
    p: Floats
    """Of the two-sided test that the term is 0, by Student's distribution."""
    ci_low: Floats
    ci_high: Floats
    """95 % confidence."""
    dependent: tuple[Dependent, ...]
    """Columns that were dropped, because earlier ones say the same."""
    nearly_dependent: tuple[Nearly, ...]
    condition_number: float
    """Of the design matrix with columns scaled to length 1 (Belsley, Kuh and Welsch, *Regression
    Diagnostics*, 1980), to four digits. Above 30 single coefficients begin to be doubtful."""
    _system: "_System" = field(repr=False, compare=False)

    @property
    def dropped(self) -> frozenset[str]:
        """The names of the dependent columns."""
        return frozenset(each.name for each in self.dependent)

    def shipped(self, dtype: str, centre: Floats | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
        """weight [targets, features] and bias [targets], rounded once to `dtype`.

        centre: [features]; then the bias is that of y = weight · (x − centre) + bias.
        """
        system = self._system
        middle = [Fraction(float(c)) for c in (np.zeros(len(self.features)) if centre is None else centre)]
        places = [place for place, index in enumerate(system.kept) if index]
        factors = [middle[system.kept[place] - 1] for place in places]
        ones = system.place_of_ones
        weight = np.zeros((len(self.targets), len(self.features)), dtype)
        bias = np.zeros(len(self.targets), dtype)

        def numbers(balls: "_Balls") -> list[Any]:
            found = []
            for column in balls.solution:
                at_centre = arb(0) if ones is None else column[ones]
                for place, factor in zip(places, factors, strict=True):
                    at_centre += column[place] * _ball(factor)
                found += [*(column[place] for place in places), at_centre]
            return found

        rounded = iter(system.rounded(numbers, dtype))
        for target in range(len(self.targets)):
            for place in places:
                weight[target, system.kept[place] - 1] = next(rounded)
            bias[target] = next(rounded)
        if not self.intercept:
            bias[:] = 0 if centre is None else bias
        return weight, bias

    def predict(self, queries: Floats) -> tuple[Floats, Floats, Floats]:
        """The answers and their 95 % prediction intervals, low and high: [queries, targets] each.

        queries: [queries, features]. In the interval a new measurement at the query would lie; NaN
        without degrees of freedom.
        """
        system = self._system
        free = self.degrees_of_freedom
        shape = len(queries), len(self.targets)
        value, low, high = (np.full(shape, math.nan) for _ in range(3))
        for number, query in enumerate(queries.tolist()):
            row = [Fraction(1), *map(Fraction, query)]
            at = [row[index] for index in system.kept]

            def numbers(balls: "_Balls", at: list[Fraction] = at) -> list[Any]:
                given = [_ball(x) for x in at]
                centre = [sum((a * b for a, b in zip(given, c, strict=True)), arb(0)) for c in balls.solution]
                if not free:
                    return centre
                spread = arb(1)
                for i, a in enumerate(given):
                    spread += a * sum((balls.inverse[i, j] * b for j, b in enumerate(given)), arb(0))
                reach = [(s / free * spread).sqrt() * balls.quantile(free) for s in balls.squares]
                return [
                    *centre,
                    *(c - r for c, r in zip(centre, reach, strict=True)),
                    *(c + r for c, r in zip(centre, reach, strict=True)),
                ]

            rounded = np.array(system.rounded(numbers)).reshape(-1, shape[1])
            for array, found in zip((value, low, high), rounded, strict=False):
                array[number] = found
        return value, low, high


def seconds(features: int) -> float:
    """About how long `fit` takes for so many features, on one of today's CPUs."""
    return 2e-8 * features**3


def squared_error(
    table: Gram, weight: NDArray[Any], bias: NDArray[Any], centre: Floats | None = None
) -> list[Fraction]:
    """The sum of squared errors of y = weight · (x − centre) + bias for each target, exactly.

    table: the Gram matrix of [1 x y]. weight: [targets, features]; bias: [targets]; centre:
    [features], by default zeros.
    """
    features = weight.shape[1]
    exponents, entries = table.exponents, table.entries
    found = []
    for target, (slopes, offset) in enumerate(zip(weight.tolist(), bias.tolist(), strict=True)):
        factors = [Fraction(slope) for slope in slopes]
        constant = Fraction(offset)
        if centre is not None:
            constant -= sum(w * Fraction(c) for w, c in zip(factors, centre.tolist(), strict=True))
        # The error is a combination of the columns [1 x y]: its square is their products' sum.
        combination = {0: constant} | {1 + i: factor for i, factor in enumerate(factors)}
        combination[1 + features + target] = Fraction(-1)
        scaled = {i: c * Fraction(2) ** exponents[i] for i, c in combination.items() if c}
        common = math.lcm(*(value.denominator for value in scaled.values()))
        whole = {i: int(value * common) for i, value in scaled.items()}
        total = sum(a * sum(b * entries[i][j] for j, b in whole.items()) for i, a in whole.items())
        found.append(Fraction(total, common**2))
    return found


def fit(
    table: Gram,
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool = True,
    roundoff: Sequence[float] | None = None,
) -> Fit:
    """Fit each target to the features.

    table: the Gram matrix of [1 features targets]. roundoff: the unit roundoff of each feature's
    source, by default that of float64; it decides which columns are nearly dependent.
    """
    columns = [*([0] if intercept else []), *range(1, 1 + len(features))]
    names = {0: None} | dict(enumerate(features, 1))
    answers = list(range(1 + len(features), 1 + len(features) + len(targets)))
    kept, combinations = _independent(table, columns)
    system = _System(table, tuple(kept), tuple(answers))
    dependent = tuple(
        Dependent(features[column - 1], tuple((names[k], c) for k, c in combination))
        for column, combination in combinations.items()
    )
    free = table.rows - len(kept)
    shape = len(targets), len(features) + intercept
    place = [index - 1 if index else len(features) for index in kept]  # of a kept column's term
    solution = np.zeros(shape)
    std_error, t, p, low, high = (np.full(shape, math.nan) for _ in range(5))

    def spread(array: Floats, values: Sequence[float]) -> None:
        array[:, place] = np.reshape(values, (len(targets), len(place)))

    spread(solution, system.rounded(lambda balls: [b for column in balls.solution for b in column]))
    variations = [
        table.variation(answer) if intercept else table.inner(answer, answer) for answer in answers
    ]

    def explained(balls: "_Balls") -> list[Any]:
        return [1 - s / _ball(v) if v else arb(0) for s, v in zip(balls.squares, variations, strict=True)]

    r2 = np.array(system.rounded(explained))
    r2[[not variation for variation in variations]] = math.nan
    residual = np.full(len(targets), math.nan)
    if free:
        residual[:] = system.rounded(lambda balls: [(s / free).sqrt() for s in balls.squares])
        spread(std_error, system.rounded(lambda balls: balls.errors(free)))
        reach = lambda balls: [e * balls.quantile(free) for e in balls.errors(free)]  # noqa: E731
        terms = lambda balls: [b for column in balls.solution for b in column]  # noqa: E731
        spread(low, system.rounded(lambda b: [x - r for x, r in zip(terms(b), reach(b), strict=True)]))
        spread(high, system.rounded(lambda b: [x + r for x, r in zip(terms(b), reach(b), strict=True)]))
        ratio = lambda b: [  # noqa: E731
            x / e if not e.is_zero() else arb(0) for x, e in zip(terms(b), b.errors(free), strict=True)
        ]
        spread(t, system.rounded(ratio))
        spread(p, system.rounded(lambda b: [_two_sided(x, free) for x in ratio(b)]))
        exact = [index for index, zero in enumerate(system.perfect) if zero]
        t[exact] = p[exact] = math.nan
    return Fit(
        features=tuple(features),
        targets=tuple(targets),
        intercept=intercept,
        rows=table.rows,
        rank=len(kept),
        degrees_of_freedom=free,
        weight=solution[:, : len(features)].copy(),
        bias=solution[:, len(features)].copy() if intercept else np.zeros(len(targets)),
        squares=system.squares(),
        r2=r2,
        residual_std_error=residual,
        std_error=std_error,
        t=t,
        p=p,
        ci_low=low,
        ci_high=high,
        dependent=dependent,
        nearly_dependent=tuple(_nearly(system, names, roundoff)),
        condition_number=_condition(system),
        _system=system,
    )


def _independent(
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
        reduced, rank = nmod_mat(size, size, [e % prime for row in entries for e in row], prime).rref()
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
            solved = square.solve(right)
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
        elif any(entries[o][o] for o in others):
            continue
        kept = [columns[pivot] for pivot in pivots]
        # The constant comes last in a formula.
        return kept, {k: sorted(c, key=lambda term: term[0] == 0) for k, c in found.items()}
    raise AssertionError("five primes divide the same determinant")


class _System:
    """The normal equations of the columns that are kept, as integers."""

    def __init__(self, table: Gram, kept: tuple[int, ...], answers: tuple[int, ...]) -> None:
        self.table, self.kept, self.answers = table, kept, answers
        self._balls: dict[int, _Balls] = {}
        self._exact: list[list[Fraction]] | None = None
        self.perfect = [self._is_perfect(answer) for answer in answers]

    @property
    def place_of_ones(self) -> int | None:
        """Where the column of ones stands among the kept ones, if it does."""
        return 0 if self.kept and self.kept[0] == 0 else None

    def _is_perfect(self, answer: int) -> bool:
        """Whether the columns give the answer exactly."""
        return answer in _independent(self.table, [*self.kept, answer])[1]

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
            - sum((c * self.table.inner(i, answer) for c, i in zip(column, self.kept, strict=True)), Fraction(0))
            for column, answer in zip(self.exact(), self.answers, strict=True)
        ]

    def squares(self) -> tuple[Fraction, ...]:
        """The residual sums of squares: as fractions if they are short, else to 128 digits."""
        if len(self.kept) <= 64:
            return tuple(self.exact_squares())
        precision = START
        while True:
            with _precision(precision):
                balls = self._at(precision).squares
                if all(b.is_zero() or b.rel_accuracy_bits() >= START for b in balls):
                    return tuple(_fraction(ball.mid()) for ball in balls)
            precision *= 2

    def _at(self, precision: int) -> "_Balls":
        if precision not in self._balls:
            self._balls[precision] = _Balls(self)
        return self._balls[precision]

    def rounded(
        self, numbers: Callable[["_Balls"], list[Any]], dtype: str = "float64"
    ) -> list[float]:
        """What `numbers` computes in balls, correctly rounded to `dtype`."""
        precision = START
        while precision <= LIMIT:
            with _precision(precision):
                try:
                    balls = numbers(self._at(precision))
                except ZeroDivisionError:  # not enough digits to tell the matrix from a singular one
                    precision *= 2
                    continue
                found = [_rounded(ball, dtype) for ball in balls]
                if None not in found:
                    return [value for value in found if value is not None]
            precision *= 2
        # Zeros and ties: with the solution known exactly, nothing is left to be undecided but a tie
        # of irrational numbers that agree in a thousand digits.
        with _precision(LIMIT):
            balls = numbers(_Balls(self, self.exact(), self.exact_squares()))
            return [
                _nearest(_fraction(ball.mid()), dtype) if value is None else value
                for ball in balls
                for value in [_rounded(ball, dtype)]
            ]


class _Balls:
    """The solution at the working precision, in balls that hold it for certain."""

    def __init__(
        self,
        system: _System,
        solution: list[list[Fraction]] | None = None,
        squares: list[Fraction] | None = None,
    ) -> None:
        table, kept, answers = system.table, system.kept, system.answers
        entries, exponents = table.entries, table.exponents
        # Columns are scaled by powers of two to a size near 1.
        scale = [-(entries[i][i].bit_length() // 2) for i in kept]
        sizes = [-(entries[i][i].bit_length() // 2) for i in answers]
        matrix = arb_mat(
            [[_shifted(entries[i][j], a + b) for j, b in zip(kept, scale, strict=True)] for i, a in zip(kept, scale, strict=True)]
        ) if kept else arb_mat(0, 0)
        right = [[_shifted(entries[i][j], a + b) for i, a in zip(kept, scale, strict=True)] for j, b in zip(answers, sizes, strict=True)]
        scaled = matrix.inv()
        self.scaled, self.matrix = scaled, matrix
        units = [a - exponents[i] for i, a in zip(kept, scale, strict=True)]
        n = range(len(kept))
        self.inverse = scaled * 1
        for i in n:
            for j in n:
                self.inverse[i, j] = _shifted(scaled[i, j], units[i] + units[j])
        if solution is None or squares is None:
            plain = [[sum((scaled[i, k] * b[k] for k in n), arb(0)) for i in n] for b in right]
            self.solution = [
                [_shifted(x, u + exponents[j] - s) for x, u in zip(column, units, strict=True)]
                for column, j, s in zip(plain, answers, sizes, strict=True)
            ]
            self.squares = [
                arb(0)
                if perfect
                else _shifted(
                    _shifted(entries[j][j], 2 * s)
                    - sum((x * y for x, y in zip(column, b, strict=True)), arb(0)),
                    2 * (exponents[j] - s),
                )
                for column, b, j, s, perfect in zip(
                    plain, right, answers, sizes, system.perfect, strict=True
                )
            ]
        else:
            self.solution = [[_ball(value) for value in column] for column in solution]
            self.squares = [_ball(value) for value in squares]
        self._quantiles: dict[int, Any] = {}

    def errors(self, free: int) -> list[Any]:
        """The standard errors of the solution of each target, one after the other."""
        variances = [self.inverse[i, i] for i in range(self.inverse.nrows())]
        return [(s / free * v).sqrt() for s in self.squares for v in variances]

    def quantile(self, free: int) -> Any:
        """`_quantile`, computed once."""
        if free not in self._quantiles:
            self._quantiles[free] = _quantile(free)
        return self._quantiles[free]


def _two_sided(t: Any, free: int) -> Any:
    """How likely a |t| as large is, by Student's distribution with `free` degrees of freedom.

    The regularized incomplete beta function I_z(free/2, 1/2) at z = free / (free + t²).
    """
    z = arb(free) / (free + t * t)
    return z.beta_lower(arb(free) / 2, arb(1) / 2, regularized=True)


def _quantile(free: int) -> Any:
    """The t that 5 % of Student's distribution lie beyond, on both sides together."""
    alpha = _ball(1 - CONFIDENCE)
    precision = ctx.prec
    # By Newton's method, then a ball around it whose ends are on both sides.
    low, high = arb(1), arb(13)  # 12.7 with one degree of freedom
    ctx.prec = 64
    for _ in range(20):
        middle = ((low + high) / 2).mid()
        if _two_sided(middle, free) > alpha:
            low = middle
        else:
            high = middle
    t = ((low + high) / 2).mid()
    half = arb(free) / 2
    while True:
        ctx.prec = min(2 * ctx.prec, precision + 32)
        half = arb(free) / 2
        density = ((half + arb(1) / 2).lgamma() - half.lgamma()).exp() / (arb.pi() * free).sqrt()
        density *= (1 + t * t / free) ** (-(half + arb(1) / 2))
        t = (t + (_two_sided(t, free) - alpha) / (2 * density)).mid()
        if ctx.prec == precision + 32:
            break
    ctx.prec = precision + 32
    t = (t + (_two_sided(t, free) - alpha) / (2 * density)).mid()
    for bits in range(precision, 16, -8):
        radius = _shifted(arb(1), 2 - bits)
        below, above = t - radius, t + radius
        if _two_sided(below, free) > alpha and _two_sided(above, free) < alpha:
            ctx.prec = precision
            return below.union(above)
    raise AssertionError("Newton's method has not arrived")


def _nearly(
    system: _System, names: dict[int, str | None], roundoff: Sequence[float] | None
) -> Iterator[Nearly]:
    """The groups of kept columns that depend on each other to within their rounding.

    With M the inverse of the Gram matrix, the regression of column j on the others has the
    coefficients −M_jk / M_jj and leaves a residual of length 1 / √M_jj.
    """
    kept = system.kept
    correlation, inverse = _unit_length(system)
    if not len(kept):
        return
    # The column of ones is exact.
    u = np.array([0.0 if i == 0 else (roundoff[i - 1] if roundoff else 2.0**-53) for i in kept])
    seen: set[str] = set()
    for j, index in enumerate(kept):
        if index == 0:
            continue
        # Lengths are 1 here: what the rounding of all columns can have made of the residual.
        parts = np.abs(inverse[j]) / inverse[j, j]
        if 1 / math.sqrt(inverse[j, j]) <= ROUNDINGS * float(parts @ u):
            group = tuple(
                str(names[i])
                for i, part in zip(kept, parts, strict=True)
                if i and part >= SHARE * parts.max()
            )
            if not seen & set(group):
                yield Nearly(group)
            seen |= set(group)


def _condition(system: _System) -> float:
    """The ratio of the largest to the smallest singular value, to four digits."""
    if not system.kept:
        return 1.0
    correlation, inverse = _unit_length(system)
    # Each eigenvalue is its matrix's largest, which is computed to nearly all digits.
    largest = np.linalg.eigvalsh(correlation)[-1] * np.linalg.eigvalsh(inverse)[-1]
    return float(f"{math.sqrt(largest):.4g}")


def _unit_length(system: _System) -> tuple[Floats, Floats]:
    """The Gram matrix of the kept columns scaled to length 1, and its inverse, both rounded."""
    n = len(system.kept)

    def numbers(balls: _Balls) -> list[Any]:
        lengths = [balls.matrix[i, i].sqrt() for i in range(n)]
        return [
            value
            for i in range(n)
            for j in range(n)
            for value in (
                balls.matrix[i, j] / (lengths[i] * lengths[j]),
                balls.scaled[i, j] * (lengths[i] * lengths[j]),
            )
        ]

    precision = START
    while True:
        with _precision(precision):
            try:
                balls = numbers(system._at(precision))
                # Not correctly rounded: nothing shows more than four digits of it.
                if all(b.is_zero() or b.rad() < abs(b.mid()) * 2**-40 + 2**-60 for b in balls) or (
                    precision > LIMIT
                ):
                    values = np.array([float(ball.mid()) for ball in balls])
                    return values[0::2].reshape(n, n), values[1::2].reshape(n, n)
            except ZeroDivisionError:
                pass
        precision *= 2


@contextmanager
def _precision(bits: int) -> Iterator[None]:
    """Compute with so many bits in the block. FLINT's setting is one for the whole process."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def _shifted(value: Any, exponent: int) -> Any:
    """value · 2^exponent as a ball; exact if `value` is."""
    return (arb(value) if isinstance(value, int) else value) * arb((1, exponent))


def _ball(value: Fraction) -> Any:
    return arb(value.numerator) / arb(value.denominator)


def _fraction(exact: Any) -> Fraction:
    mantissa, exponent = exact.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _rounded(ball: Any, dtype: str) -> float | None:
    """The number of `dtype` that everything in a ball rounds to, if there is one."""
    if not ball.is_finite():
        return None
    low, high = (_end(end, dtype) for end in (ball.lower(), ball.upper()))
    return low if low == high else None


def _end(exact: Any, dtype: str) -> float:
    mantissa, exponent = exact.man_exp()
    size = int(mantissa).bit_length() + int(exponent)
    if mantissa == 0 or size < -2000:
        return 0.0
    if size > 2000:
        return math.copysign(math.inf, int(mantissa))
    return _nearest(_fraction(exact), dtype)


def _nearest(value: Fraction, dtype: str) -> float:
    """The number of `dtype` that is nearest to `value`, the even one of two."""
    if not value:
        return 0.0
    bits, lowest, highest = FORMATS[dtype]
    size = value.numerator.bit_length() - value.denominator.bit_length()
    if abs(value) < Fraction(2) ** size:
        size -= 1
    unit = max(size - bits + 1, lowest)
    digits = round(value / Fraction(2) ** unit)
    if not digits:
        return 0.0  # not -0.0
    if digits.bit_length() + unit > highest:
        return math.copysign(math.inf, digits)
    return math.ldexp(digits, unit)
