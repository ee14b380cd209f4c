"""The solution is computed where thousands of bits are too few to begin with."""

import math
from fractions import Fraction

import numpy as np
from exact_reference import dot, exact_columns, nearest, solved

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.exact.squared_error import squared_error


def test_a_number_halfway_between_two_floats_goes_to_the_even_one() -> None:
    """A line of slope 1/3, which no ball holds without a radius."""
    unit = 3 * 2.0**-24
    third = fit(gram_matrix(np.array([[0, unit], [3, 1 + unit]])), ["x"], ["y"])
    _, bias = third.shipped("float32", np.array([3.0]))
    assert bias[0] == np.float32(1 + unit) == 1 + 2**-22
    third = fit(gram_matrix(np.array([[0.0, 1], [3, 2], [6, 3]])), ["x"], ["y"])
    value, _, _ = third.predict(np.array([[9 * 2.0**-53]]))
    assert value.item() == 1 + 2**-51


def test_columns_that_differ_by_a_number_too_small_for_thousands_of_bits_are_solved() -> None:
    """A condition number of 2^2097: the inverse needs more bits than 4,096."""
    table = np.array([[1e308, 1e308, 1.0], [5e-324, 1e-323, 2], [0, 0, 3]])
    solution = fit(gram_matrix(table), ["a", "b"], ["y"], intercept=False)
    columns = exact_columns(table)
    expected = solved(columns[1:3], columns[3])
    assert solution.weight[0].tolist() == [nearest(expected[0]), nearest(expected[1])]
    assert list(solution.squares) == [9]


def test_an_inverse_of_few_digits_is_not_taken_for_a_tie() -> None:
    """At 4,096 bits the matrix is just not singular; its inverse has some six digits of them."""
    big, small, unit = 2.0**990, 2.0**-1055, 2.0**-300
    table = np.array([[big, big, unit], [small, 2 * small, 2 * unit], [0, 0, 3 * unit]])
    solution = fit(gram_matrix(table), ["a", "b"], ["y"], intercept=False)
    a, b, _ = exact_columns(table)[1:]
    determinant = dot(a, a) * dot(b, b) - dot(a, b) ** 2
    for error, other in zip(solution.std_error[0], (b, a), strict=True):
        variance = solution.squares[0] * dot(other, other) / determinant
        beside = [
            (Fraction(error) + Fraction(math.nextafter(error, way))) / 2 for way in (0, 1e308)
        ]
        assert beside[0] ** 2 <= variance <= beside[1] ** 2


def test_many_columns_of_which_two_are_almost_the_same_are_solved() -> None:
    """Beyond 64 columns, sums of squares are computed in balls: 128 bits are too few for these."""
    random = np.random.default_rng(0)
    table = random.normal(size=(80, 71))
    table[:, 1] = table[:, 0]
    table[3, :2] = 1e-30, 2e-30
    solution = fit(gram_matrix(table), [f"x{i}" for i in range(70)], ["y"])
    assert solution.rank == 71
    assert [each.names for each in solution.nearly_dependent] == [("x0", "x1")]
    (error,) = squared_error(gram_matrix(table), solution.weight, solution.bias)
    assert error >= solution.squares[0] > 0
