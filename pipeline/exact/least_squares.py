"""Least squares without rounding error: the exact solution of a table's exact Gram matrix.

Whether columns depend on each other is decided with integers. The rest is computed in balls of real
numbers (Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval arithmetic*, 2017)
whose precision doubles until each of them rounds to one number only. So every figure is correctly
rounded: at any condition number, for any order of the rows, on any machine.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact.gram import Gram, gram
from pipeline.exact.interval import Interval
from pipeline.exact.normal_equations import Balls, System, independent
from pipeline.exact.rounding import cholesky, enclose, nearest, precision, two_sided
from pipeline.settings.messages import first_of

__all__ = ["Fit", "Gram", "announce", "fit", "gram", "squared_error"]

# A column is nearly dependent if what the others leave of it is no more than so many times what the
# rounding of all of them can have made.
ROUNDINGS = 4

# Of the columns that near dependence ties together, those with this share of the largest part.
SHARE = 1e-3

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
    shown = nearest(value, "float64")
    if value and (shown == 0 or math.isinf(shown)):  # beyond what float64 holds
        return f"{Decimal(value.numerator) / Decimal(value.denominator):.6g}"
    return f"{shown:g}"


@dataclass(frozen=True)
class Nearly:
    """Columns that depend on each other to within the rounding of their numbers."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        shown = first_of(self.names, 8)
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
    _system: "System" = field(repr=False, compare=False)

    @property
    def dropped(self) -> frozenset[str]:
        """The names of the dependent columns."""
        return frozenset(each.name for each in self.dependent)

    def shipped(
        self, dtype: str, centre: Floats | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Weight [targets, features] and bias [targets], rounded once to `dtype`.

        centre: [features]; then the bias is that of y = weight · (x − centre) + bias.
        """
        system = self._system
        middle = [
            Fraction(float(c)) for c in (np.zeros(len(self.features)) if centre is None else centre)
        ]
        places = [place for place, index in enumerate(system.kept) if index]
        factors = [middle[system.kept[place] - 1] for place in places]
        ones = system.place_of_ones
        weight = np.zeros((len(self.targets), len(self.features)), dtype)
        bias = np.zeros(len(self.targets), dtype)

        def numbers(balls: "Balls") -> list[Any]:
            found = []
            for column in balls.solution:
                at_centre = arb(0) if ones is None else column[ones]
                for place, factor in zip(places, factors, strict=True):
                    at_centre += column[place] * enclose(factor)
                found += [*(column[place] for place in places), at_centre]
            return found

        rounded = iter(system.rounded(numbers, dtype))
        for target in range(len(self.targets)):
            for place in places:
                weight[target, system.kept[place] - 1] = next(rounded)
            bias[target] = next(rounded)
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

            def numbers(balls: "Balls", at: list[Fraction] = at) -> list[Any]:
                given = [enclose(x) for x in at]
                centre = [
                    sum((a * b for a, b in zip(given, c, strict=True)), arb(0))
                    for c in balls.solution
                ]
                if not free:
                    return centre
                spread = arb(1)
                for i, a in enumerate(given):
                    spread += a * sum(
                        (balls.inverse[i, j] * b for j, b in enumerate(given)), arb(0)
                    )
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

    def interval(self) -> Interval:
        """What the 95 % prediction intervals are computed from, each number correctly rounded.

        Raises ValueError, with the reason, if there are none: without degrees of freedom, or where
        a column was dropped, since no data say what happens when it goes another way than those
        that it depends on.
        """
        system, free = self._system, self.degrees_of_freedom
        if self.dependent:
            raise ValueError(f"columns depend on each other ({self.dependent[0]})")
        if not free:
            raise ValueError(f"{self.rows} rows for {self.rank} numbers leave no degree of freedom")
        first = int(self.intercept)  # the column of ones, if it is there, is the first one

        def numbers(balls: "Balls") -> list[Any]:
            size = range(first, len(system.kept))
            lower = cholesky([[balls.inverse[i, j] for j in size] for i in size])
            reach = balls.quantile(free)
            scale = [(squares / free).sqrt() * reach for squares in balls.squares]
            return [*itertools.chain(*lower), *scale]

        features = len(self.features)
        found = np.array(system.rounded(numbers))
        if not np.isfinite(found).all():
            raise ValueError("its numbers are beyond what float64 holds; scale the columns")
        return Interval(
            centre=system.table.means()[:features] if self.intercept else np.zeros(features),
            factor=found[: features**2].reshape(features, features),
            constant=float(1 + Fraction(first, self.rows)),
            scale=found[features**2 :],
        )


def announce(features: int) -> None:
    """Say how long `fit` will take, about, if that is long. A minute is 850 features."""
    seconds = 1e-7 * features**3
    if seconds > 10:
        print(f"least squares of {features} features takes about {seconds:.0f} s")


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
    kept, combinations = independent(table, columns)
    system = System(table, tuple(kept), tuple(answers))
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

    spread(solution, system.rounded(lambda balls: balls.terms()))
    variations = [
        table.variation(answer) if intercept else table.inner(answer, answer) for answer in answers
    ]

    def explained(balls: "Balls") -> list[Any]:
        return [
            1 - s / enclose(v) if v else arb(0)
            for s, v in zip(balls.squares, variations, strict=True)
        ]

    r2 = np.array(system.rounded(explained))
    r2[[not variation for variation in variations]] = math.nan
    residual = np.full(len(targets), math.nan)
    if free:
        residual[:] = system.rounded(lambda balls: [(s / free).sqrt() for s in balls.squares])
        spread(std_error, system.rounded(lambda balls: balls.errors(free)))
        spread(t, system.rounded(lambda balls: balls.ratios(free)))
        spread(p, system.rounded(lambda balls: [two_sided(t, free) for t in balls.ratios(free)]))
        spread(low, system.rounded(lambda balls: balls.ends(free, -1)))
        spread(high, system.rounded(lambda balls: balls.ends(free, 1)))
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


def _nearly(
    system: System, names: dict[int, str | None], roundoff: Sequence[float] | None
) -> Iterator[Nearly]:
    """The groups of kept columns that depend on each other to within their rounding.

    With M the inverse of the Gram matrix of columns of length 1, the regression of column j on the
    others has the coefficients −M_jk / M_jj and leaves a residual of length 1 / √M_jj.
    """
    kept = system.kept
    if not kept:
        return
    _, inverse, lengths = _unit_length(system)
    # The column of ones is exact.
    u = np.array(
        [0.0 if i == 0 else (2.0**-53 if roundoff is None else roundoff[i - 1]) for i in kept]
    )
    seen: set[str] = set()
    for j, index in enumerate(kept):
        # In lengths of the residual: what the rounding of each column can have made of it.
        parts = np.abs(inverse[j]) * lengths
        if index and ROUNDINGS * float(parts @ u) >= 1:
            group = tuple(
                str(names[i])
                for i, part in zip(kept, parts, strict=True)
                if i and part >= SHARE * parts.max()
            )
            if not seen & set(group):
                yield Nearly(group)
            seen |= set(group)


def _condition(system: System) -> float:
    """The ratio of the largest to the smallest singular value, to four digits."""
    if not system.kept:
        return 1.0
    correlation, inverse, lengths = _unit_length(system)
    share = lengths / lengths.max()
    # Each is its matrix's largest eigenvalue, which is computed to nearly all digits.
    most = np.linalg.eigvalsh(correlation)[-1]
    least = np.linalg.eigvalsh(share[:, None] * inverse * share)[-1]
    return float(f"{lengths.max() * math.sqrt(most * least):.4g}")


def _unit_length(system: System) -> tuple[Floats, Floats, Floats]:
    """The Gram matrix of the kept columns scaled to length 1, and its inverse, as floats.

    Of the inverse: its entries over the roots of their diagonals, which lie between −1 and 1, and
    these roots, at most 1e300.
    """
    n = range(len(system.kept))

    def numbers(balls: Balls) -> list[Any]:
        lengths = [balls.matrix[i, i].sqrt() for i in n]
        roots = [balls.scaled[i, i].sqrt() for i in n]
        return [
            *(balls.matrix[i, j] / (lengths[i] * lengths[j]) for i in n for j in n),
            *(balls.scaled[i, j] / (roots[i] * roots[j]) for i in n for j in n),
            *(length * root for length, root in zip(lengths, roots, strict=True)),
        ]

    for bits in system.precisions():
        with precision(bits):
            balls = numbers(system.at(bits))
            # Not correctly rounded: nothing shows more than four digits of it.
            if all(b.is_finite() and b.rad() < abs(b.mid()) * 2**-40 + 2**-60 for b in balls):
                break
    # Not as fractions: of hundreds of columns that would take longer than all the rest.
    values = np.array([min(float(ball.mid()), 1e300) for ball in balls])
    square = len(n) ** 2
    correlation, inverse = values[:square], values[square : 2 * square]
    return correlation.reshape(len(n), -1), inverse.reshape(len(n), -1), values[2 * square :]
