"""The Gram matrix of rounded rows: its digits, and the same bits however rows are divided."""

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.fixed_gram import MOST_ROWS, FixedGram
from pipeline.exact.gram import Gram

EXPONENTS = (0, -5, 7)


def columns(rows: int) -> NDArray[np.float64]:
    """Return three columns of these sizes, in which some numbers are far larger."""
    random = np.random.default_rng(3)
    table = random.normal(size=(3, rows)) * np.ldexp(1.0, np.array(EXPONENTS))[:, None]
    table[1, 7::500] *= 1e4
    table[2, 9] = 1e30
    return np.asarray(table, np.float64)


def gram(table: NDArray[np.float64], step: int, factors: int | None = None) -> Gram:
    """Return the matrix of columns [columns, rows], added by so many rows at a time."""
    sums = FixedGram(EXPONENTS, factors)
    for start in range(0, table.shape[1], step):
        rows = table[:, start : start + step]
        sums.add(np.ldexp(rows, -np.array(EXPONENTS)[:, None]))
    return sums.taken()


def test_digits_are_those_of_all_bits_where_no_row_is_extreme() -> None:
    table = columns(20_000)
    table[2, 9] = 1.0
    found = gram(table, MOST_ROWS)
    right = table.astype(np.longdouble) @ table.T.astype(np.longdouble)
    size = np.sqrt(np.diag(right))
    for i in range(3):
        for j in range(3):
            error = abs(float(found.inner_product(i, j)) - right[i, j])
            assert error < 1e-13 * size[i] * size[j]
    assert found.rows == 20_000


def test_rows_divided_in_any_way_and_rows_set_aside_have_the_same_bits() -> None:
    table = columns(5_000)
    first, second = gram(table, MOST_ROWS), gram(table[:, ::-1], 77)
    assert first.canonical() == second.canonical()
    assert first.inner_product(2, 2) > 9e59


def test_products_with_few_factors_are_the_same_with_a_large_number_in_either_column() -> None:
    for column in range(3):
        table = columns(5_000)
        table[2, 9] = 1.0
        table[column, 17] = 1e25
        whole = gram(table, MOST_ROWS)
        for factors in (1, 2):
            few = gram(table, 700, factors)
            for j in range(3 - factors, 3):
                for i in range(3):
                    assert few.inner_product(i, j) == whole.inner_product(i, j)
                    assert few.inner_product(j, i) == whole.inner_product(i, j)
