"""The values that NIST certifies for regressions that are hard to compute, to all their digits."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import scipy
from exact_tables import residual_std_error
from statsmodels.datasets import longley

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit


def certified(computed: float, value: str, digits: int) -> None:
    """Check that NIST's value and ours agree to `digits`, of which NIST gives 15.

    NIST rounds to 15 digits and we round to a float, so that the true value may lie between.
    """
    stated = Fraction(value)
    if digits == 15:
        unit = Fraction(10) ** (math.floor(math.log10(abs(stated))) - 14)
        assert abs(Fraction(computed) - stated) <= unit / 2 + Fraction(math.ulp(computed))
    else:
        assert abs(Fraction(computed) - stated) <= abs(stated) / 10**digits


def test_norris_of_nist() -> None:
    """The data have decimals, which float64 rounds: exact arithmetic then has 13 or 14 digits."""
    path = next(Path(scipy.__file__).parent.rglob("Norris.dat"), None)
    assert path is not None, "SciPy no longer ships NIST's file"
    text = path.read_text().splitlines()
    rows = [line.split() for line in text[60:96]]
    y, x = np.array(rows, dtype=float).T
    assert len(x) == 36
    solution = fit(gram_matrix(np.column_stack([x, y])), ["x"], ["y"])
    certified(solution.bias[0], "-0.262323073774029", 14)
    certified(solution.weight[0, 0], "1.00211681802045", 14)
    certified(solution.std_error[0, 1], "0.232818234301152", 13)
    certified(solution.std_error[0, 0], "0.429796848199937E-03", 13)
    certified(residual_std_error(solution)[0], "0.884796396144373", 13)
    certified(solution.r2[0], "0.999993745883712", 14)
    assert not solution.nearly_dependent
    # In tenths the data are integers, and so is nothing rounded before it is fitted.
    solution = fit(gram_matrix(np.round(np.column_stack([x, y]) * 10)), ["x"], ["y"])
    certified(solution.bias[0] / 10, "-0.262323073774029", 15)
    certified(solution.weight[0, 0], "1.00211681802045", 15)
    certified(solution.std_error[0, 1] / 10, "0.232818234301152", 15)
    certified(solution.std_error[0, 0], "0.429796848199937E-03", 15)
    certified(residual_std_error(solution)[0] / 10, "0.884796396144373", 15)
    certified(solution.r2[0], "0.999993745883712", 15)


def test_longley_of_nist() -> None:
    data = longley.load_pandas()
    table = np.column_stack([data.exog.to_numpy(float), data.endog.to_numpy(float)])
    solution = fit(gram_matrix(table), list(data.exog.columns), ["y"])
    assert not solution.nearly_dependent
    values = [
        ("15.0618722713733", "84.9149257747669"),
        ("-0.358191792925910E-01", "0.334910077722432E-01"),
        ("-2.02022980381683", "0.488399681651699"),
        ("-1.03322686717359", "0.214274163161675"),
        ("-0.511041056535807E-01", "0.226073200069370"),
        ("1829.15146461355", "455.478499142212"),
        ("-3482258.63459582", "890420.383607373"),
    ]
    ours = np.append(solution.weight[0], solution.bias[0])
    for value, error, (beta, sd) in zip(ours, solution.std_error[0], values, strict=True):
        certified(value, beta, 14)
        certified(error, sd, 14)
    certified(residual_std_error(solution)[0], "304.854073561965", 14)
    certified(solution.r2[0], "0.995479004577296", 15)
    # The first column has decimals: in tenths, nothing is rounded before it is fitted.
    table[:, 0] = np.round(table[:, 0] * 10)
    solution = fit(gram_matrix(table), list(data.exog.columns), ["y"])
    unit = np.array([10.0, 1, 1, 1, 1, 1, 1])
    ours = np.append(solution.weight[0], solution.bias[0]) * unit
    for value, error, (beta, sd) in zip(ours, solution.std_error[0] * unit, values, strict=True):
        certified(value, beta, 15)
        certified(error, sd, 15)
    certified(residual_std_error(solution)[0], "304.854073561965", 15)


WAMPLER = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048]


def test_wampler_1_and_4_of_nist() -> None:
    """A polynomial of degree 5: every coefficient is 1, with errors of 0 and of 236,014."""
    x = np.arange(21.0)
    powers = np.stack([x**k for k in range(1, 6)], axis=1)
    y = 1 + powers.sum(axis=1)
    delta = np.array([*WAMPLER, 2048, *WAMPLER[::-1]])
    solution = fit(
        gram_matrix(np.column_stack([powers, y, y + 100 * delta])), list("abcde"), ["1", "4"]
    )
    assert (solution.weight == 1).all()
    assert (solution.bias == 1).all()
    assert (solution.std_error[0] == 0).all()
    assert solution.r2[0] == 1
    assert not solution.nearly_dependent
    certified(residual_std_error(solution)[1], "236014.502379268", 15)
    certified(solution.r2[1], "0.957478440825662", 15)
    errors = [
        "236355.173469681",
        "77934.3524331583",
        "10147.5507550350",
        "564.566512170752",
        "11.2324854679312",
        "215232.624678170",
    ]
    for our_error, error in zip(solution.std_error[1], errors, strict=True):
        certified(our_error, error, 15)


def test_noint_1_of_nist() -> None:
    x = np.arange(60.0, 71.0)
    solution = fit(gram_matrix(np.column_stack([x, x + 70])), ["x"], ["y"], intercept=False)
    certified(solution.weight[0, 0], "2.07438016528926", 15)
    certified(solution.std_error[0, 0], "0.165289256198347E-01", 15)
    certified(residual_std_error(solution)[0], "3.56753034006338", 15)
    certified(solution.r2[0], "0.999365492298663", 15)
