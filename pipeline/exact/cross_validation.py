"""Cross-validation from the Gram matrices of the folds, without another look at the rows.

The matrix of the rows that train is the matrix of all rows less the fold's, exactly. The squared
error of the unrounded solution on the fold follows from the fold's own matrix, in balls, and is
rounded once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from operator import add
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.cores import one_blas_thread
from pipeline.exact.correlations import Correlations
from pipeline.exact.gram import Gram
from pipeline.exact.penalties import Penalty, solve
from pipeline.exact.rounding import nearest
from pipeline.exact.unrounded_error import mean_squared_errors

Floats = NDArray[np.float64]
Choice = Literal["best", "one_standard_error"]


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (with folds − 1) of a figure over the folds."""

    mean: float
    std: float


@dataclass(frozen=True, eq=False)
class Scores:
    """The errors of one target in each fold, for each penalty.

    mse: [penalties, folds], of the folds that have rows; infinite where it is beyond float64.
    """

    penalties: tuple[Penalty, ...]
    mse: Floats
    gap: Floats
    """[penalties]: the largest duality gap of the folds' solutions; 0 where all are proven."""

    @cached_property
    def mean(self) -> Floats:
        """Mean of the folds' mean squared errors: [penalties]."""
        return np.array([spread(row).mean for row in self.mse.tolist()])

    @cached_property
    def std_error(self) -> Floats:
        """Standard error of the mean: [penalties]."""
        folds = self.mse.shape[1]
        return np.array([spread(row).std / math.sqrt(folds) for row in self.mse.tolist()])

    @property
    def best(self) -> int:
        """Place of the penalty with the smallest mean; of equal ones the first, the largest."""
        return int(np.argmin(self.mean))

    @property
    def one_standard_error(self) -> int:
        """Place of the largest penalty whose mean is at most a standard error above the best.

        If both penalties vary: the largest l1 with the best one's l2. Of two pairs nobody could say
        which is the larger.
        """
        allowed = self.mean[self.best] + self.std_error[self.best]
        if not math.isfinite(allowed):
            return self.best
        return next(place for place in self.path_of_best if self.mean[place] <= allowed)

    @cached_property
    def path_of_best(self) -> list[int]:
        """Places of the penalties with the l2 of the best one; all of them if l1 does not vary."""
        l2 = self.penalties[self.best].l2
        places = [place for place, penalty in enumerate(self.penalties) if penalty.l2 == l2]
        varies = len({penalty.l1 for penalty in self.penalties}) > 1
        return places if varies else list(range(len(self.penalties)))

    def chosen(self, choice: Choice) -> int:
        """Return the place of the penalty that is chosen."""
        return self.best if choice == "best" else self.one_standard_error


def cross_validate(
    folds: Sequence[Gram],
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool,
    paths: Sequence[Sequence[Penalty]],
    roundoff: Sequence[float] | None = None,
    training: Sequence[Gram] | None = None,
) -> tuple[Scores, ...]:
    """Return the scores of each target for each of its penalties.

    folds: Gram matrices of [1 features targets] of the rows of each fold; a fold without rows is
    left out. paths: penalties of each target, the largest first; of a single one for plain fits.
    Without a penalty the rules of `least_squares.fit` hold in each fold: dependent and nearly
    dependent columns get the weight 0. roundoff: as there.
    training: the matrix of the rows that train for each fold, by default all rows of other folds.
    Raises ValueError if fewer than two folds have rows, or if no row trains for one of them.
    """
    if training is None:
        total = reduce(add, folds)
        training = [total - fold for fold in folds if fold.rows]
    else:
        training = [rows for rows, fold in zip(training, folds, strict=True) if fold.rows]
    tests = [fold for fold in folds if fold.rows]
    if len(tests) < 2:
        raise ValueError(f"{len(tests)} of {len(folds)} folds have rows; at least 2 are needed")
    if not all(rows.rows for rows in training):
        raise ValueError("no row is left to train for one of the folds")
    with one_blas_thread():  # only for guesses, of matrices that are mostly small
        return _scores(tests, training, features, targets, intercept, paths, roundoff)


def _scores(
    tests: Sequence[Gram],
    training: Sequence[Gram],
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool,
    paths: Sequence[Sequence[Penalty]],
    roundoff: Sequence[float] | None,
) -> tuple[Scores, ...]:
    width = len(features)
    roundoff = [2.0**-53] * width if roundoff is None else roundoff
    places = range(1 + width, 1 + width + len(targets))
    columns: list[list[tuple[list[float], list[float]]]] = [[] for _ in targets]
    for rows, test in zip(training, tests, strict=True):
        correlations = Correlations(rows, width, places, intercept)
        for index, (target, path) in enumerate(zip(places, paths, strict=True)):
            solutions = solve(correlations, target, path, roundoff)
            mse = mean_squared_errors(test, target, solutions)
            columns[index].append((mse, [s.certificate.gap for s in solutions]))
    return tuple(
        Scores(
            tuple(path),
            np.array([mse for mse, _ in of_target]).T,
            np.array([gaps for _, gaps in of_target]).max(axis=0),
        )
        for path, of_target in zip(paths, columns, strict=True)
    )


def spread(values: Sequence[float]) -> Spread:
    """Return mean and standard deviation of at least one figure, from exact fractions.

    The deviation of one figure is NaN.
    """
    if not all(map(math.isfinite, values)):
        return Spread(sum(values), math.nan)
    exact = list(map(Fraction, values))
    mean = sum(exact) / len(exact)
    if len(exact) < 2:
        return Spread(float(mean), math.nan)
    # Squares of numbers that float64 holds may be beyond it, above and below.
    unit = Fraction(2) ** math.frexp(max(map(abs, values)))[1]
    square = sum(((value - mean) / unit) ** 2 for value in exact) / (len(exact) - 1)
    return Spread(float(mean), nearest(Fraction(math.sqrt(square)) * unit, "float64"))
