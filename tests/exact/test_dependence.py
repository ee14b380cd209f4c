"""Columns that depend on each other are named, also where only rounding tells them apart."""

from fractions import Fraction

import numpy as np

from pipeline.exact.gram_sums import gram_matrix
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


def test_nearly_dependent_columns_are_left_out_with_their_relation() -> None:
    """Prices with two decimals, and their differences as a spreadsheet computes them."""
    random = np.random.default_rng(0)
    price, list_price, other = np.round(random.uniform(1, 3, (3, 60)), 2)
    difference = np.round(price - list_price, 2)
    y = random.normal(size=60)
    columns = [price, list_price, difference, other, price * 2 + 1e-3 * other**2, y]
    names = ["price", "list_price", "difference", "other", "twice"]
    huge = fit(gram_matrix(np.column_stack(columns)), names, ["y"])
    assert abs(huge.weight).max() > 1e12
    solution = huge.without_nearly_dependent()
    assert solution.dropped == {"difference"}, "twice differs by more than rounding"
    (relation,) = solution.dependent
    assert dict(relation.combination) == {"price": 1, "list_price": -1}
    assert not relation.is_exact
    assert abs(solution.weight[0, :4]).max() < 1e10
    assert solution.weight[0, 2] == 0
    assert np.isnan(solution.std_error[0, 2])
    plain = fit(gram_matrix(np.column_stack([columns[place] for place in (0, 1, 3, 4, 5)])),
                ["price", "list_price", "other", "twice"], ["y"])  # fmt: skip
    np.testing.assert_array_equal(plain.weight[0], solution.weight[0, [0, 1, 3, 4]])
