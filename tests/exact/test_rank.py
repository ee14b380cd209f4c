"""The rank of a table and the combinations of its columns are right, not nearly right."""

from fractions import Fraction

import numpy as np
from exact_reference import Rows, exact_columns, solved, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exact import rank
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import gram_matrix


@given(tables(st.integers(-2, 2).map(float), 5, 12), st.booleans())
@settings(deadline=None, max_examples=100)
def test_the_rank_and_the_combinations_of_small_integers_are_right(
    rows: Rows, intercept: bool
) -> None:
    table = np.array(rows)
    table[:, 3] = table[:, 0] - 2 * table[:, 1]
    columns = exact_columns(table)
    start = 0 if intercept else 1
    expected = [start + place for place in solved(columns[start:5], columns[5])]
    kept, combinations = rank.independent_columns(gram_matrix(table), range(start, 5))
    assert kept == expected
    assert list(combinations) == [place for place in range(start, 5) if place not in expected]
    for column, combination in combinations.items():
        for i, value in enumerate(columns[column]):
            assert value == sum((f * columns[other][i] for other, f in combination), Fraction(0))
        assert all(other < column for other, _ in combination)
        assert 0 not in [other for other, _ in combination[:-1]], "the constant comes last"


def test_a_prime_that_divides_a_determinant_is_replaced() -> None:
    """Modulo the first prime, the first column is zero."""
    prime = rank.PRIMES[0]
    gram = Gram(2, (0, 0, 0), ((2, 0, 0), (0, prime, 0), (0, 0, 1)))
    assert rank._pivots([[prime, 0], [0, 1]], prime) == [1]
    assert rank.independent_columns(gram, [1, 2]) == ([1, 2], {})


@given(tables(st.integers(-2, 2).map(float), 5, 12))
@settings(deadline=None, max_examples=50)
def test_the_columns_that_are_certainly_independent_are_all_of_them(rows: Rows) -> None:
    gram = gram_matrix(np.array(rows))
    assert rank.certainly_independent(gram, range(6)) == rank.independent_columns(gram, range(6))[0]
