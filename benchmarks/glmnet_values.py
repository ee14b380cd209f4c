"""Coefficients beside those that glmnet published, at the same penalties.

81 fits of R's glmnet (ridge, elastic net and lasso) ship with the tests of statsmodels, with their
data, in seven digits. *An Introduction to Statistical Learning* prints two ridge fits of the pay of
baseball players in its lab on glmnet, in eight digits; the package ISLP ships the table. Our
solutions are proven; glmnet ends when a step changes little (its `thresh`, 10⁻⁷ by default), and
that is what limits the digits of the last two.
"""

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rounds import ROOT
from shipped_tables import FOLDER, install
from statsmodels.regression.tests.results import glmnet_r_results

sys.path.insert(0, str(ROOT))

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalties import Penalty, fit

Floats = NDArray[np.float64]

KINDS = {0.0: "ridge", 0.5: "elastic net", 1.0: "lasso"}
"""By glmnet's alpha."""
HITTERS = {
    "lambda 11,498": (
        10 ** (10 - 12 * 49 / 99),
        "0.036957182 0.138180344 0.524629976 0.230701523 0.239841459 0.289618741 1.107702929"
        " 0.003131815 0.011653637 0.087545670 0.023379882 0.024138320 0.025015421 0.085028114"
        " -6.215440973 0.016482577 0.002612988 -0.020502690 0.301433531",
    ),
    "lambda 705": (
        10 ** (10 - 12 * 59 / 99),
        "0.11211115 0.65622409 1.17980910 0.93769713 0.84718546 1.31987948 2.59640425 0.01083413"
        " 0.04674557 0.33777318 0.09355528 0.09780402 0.07189612 13.68370191 -54.65877750"
        " 0.11852289 0.01606037 -0.70358655 8.61181213",
    ),
}
"""The weights of the lab, in the order of the columns in R's model matrix."""


class Published(NamedTuple):
    """A fit of glmnet. weights: of the table as it is: [columns]."""

    name: str
    x: Floats
    y: Floats
    penalty: Penalty
    weights: Floats


def of_statsmodels() -> Iterator[Published]:
    """Yield the fits that statsmodels ships.

    R's script standardized columns and target with the standard deviation of rows − 1, and called
    glmnet without an intercept and without standardizing. The table is integers, so it is taken as
    it is; the penalties take on the difference between the two standard deviations.
    """
    path = Path(glmnet_r_results.__file__).with_name("lasso_data.csv")
    table = np.loadtxt(path, delimiter=",")
    for number in range(81):
        rows, columns, alpha, lambda_, *weights = getattr(glmnet_r_results, f"rslt_{number}")
        x, y = table[: int(rows), 1 : 1 + int(columns)], table[: int(rows), 0]
        deviation, shrunk = y.std(ddof=1), np.sqrt(1 - 1 / rows)
        l1, l2 = alpha * lambda_ * deviation / shrunk, (1 - alpha) * lambda_ / shrunk**3
        scaled = np.array(weights) * deviation / x.std(axis=0, ddof=1)
        yield Published(f"statsmodels, {KINDS[float(alpha)]}", x, y, Penalty(l1, l2), scaled)


def of_the_book() -> Iterator[Published]:
    """Yield the two ridge fits of the book's lab."""
    table = pd.read_csv(FOLDER / "ISLP/data/Hitters.csv").dropna()
    y = table.pop("Salary").to_numpy(float)
    for name in ("League", "Division", "NewLeague"):
        table[name] = (table[name] == max(table[name])) * 1.0  # N and W, as R has them
    x = table.to_numpy(float)
    for name, (lambda_, weights) in HITTERS.items():
        penalty = Penalty(l2=lambda_ / y.std())
        yield Published(f"Hitters, ridge, {name}", x, y, penalty, np.array(weights.split(), float))


def digits(published: Published) -> float:
    """Return the digits to which the worst standardized weight agrees, relative to the largest."""
    deviations = published.x.std(axis=0)
    names = [f"x{column}" for column in range(published.x.shape[1])]
    gram = gram_matrix(published.x, published.y[:, None])
    (ours,) = fit(gram, names, ["y"], True, [published.penalty]).weight * deviations
    difference = np.abs(ours - published.weights * deviations).max() / np.abs(ours).max()
    return float(-np.log10(difference))


def print_digits() -> float:
    """Print the digits of agreement of each kind of fit; return the median of all fits."""
    by_name: dict[str, list[float]] = {}
    for published in (*of_statsmodels(), *of_the_book()):
        by_name.setdefault(published.name, []).append(digits(published))
    print("| published fits of glmnet | number | digits, worst | median |\n|---|---|---|---|")
    for name, values in by_name.items():
        print(f"| {name} | {len(values)} | {min(values):.1f} | {statistics.median(values):.1f} |")
    return statistics.median([value for values in by_name.values() for value in values])


def main() -> None:
    """Print the digits."""
    install()
    print_digits()


if __name__ == "__main__":
    main()
