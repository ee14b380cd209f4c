"""Columns that depend on each other are named, also where only rounding tells them apart."""

from fractions import Fraction

import numpy as np

from pipeline.exact.gram import gram_matrix
from pipeline.exact.least_squares import fit


def test_dependent_columns_are_dropped() -> None:
    x = np.random.default_rng(0).integers(-50, 50, (20, 2)).astype(float)
    five = np.full(20, 5.0)
    table = np.column_stack([x[:, 0], five, x[:, 0], x[:, 1], x[:, 0] - 3 * x[:, 1] + 0.5, five])
    names = ["a", "five", "again", "b", "mix"]
    reference = fit(gram_matrix(table), names, ["y"])
    assert {column.name: column.combination for column in reference.dependent} == {
        "five": ((None, 5),),
        "again": (("a", 1),),
        "mix": (("a", 1), ("b", -3), (None, Fraction(1, 2))),
    }
    assert reference.rank == 3
    assert reference.dropped == {"five", "again", "mix"}
    assert np.isnan(reference.std_error[0, 1])
    assert reference.weight[0, 1] == 0
    through_the_origin = fit(gram_matrix(table), names, ["y"], intercept=False)
    assert "five" not in through_the_origin.dropped


def test_nearly_dependent_columns_are_named() -> None:
    random = np.random.default_rng(0)
    shares = np.round(random.dirichlet([1, 1, 1], 50) * 100, 2)
    shares[:, 2] = np.round(100 - shares[:, 0] - shares[:, 1], 2)
    table = np.column_stack([shares, random.normal(size=(50, 2))])
    solution = fit(gram_matrix(table), ["p", "q", "r", "other"], ["y"])
    assert not solution.dependent
    assert [each.names for each in solution.nearly_dependent] == [("p", "q", "r")]
    assert solution.condition_number > 1e12
    # As near as float32 comes, which float64 could tell apart.
    x = random.normal(size=(60, 1))
    pair = np.hstack([x, x * (1 + 1e-8 * random.normal(size=(60, 1))), x**2])
    assert not fit(gram_matrix(pair), ["x", "z"], ["y"]).nearly_dependent
    assert fit(gram_matrix(pair), ["x", "z"], ["y"], roundoff=[2**-24, 2**-24]).nearly_dependent
