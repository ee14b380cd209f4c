"""Every inner product of two columns is exact, and computed at speed."""

import itertools
import weakref
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact_reference import Rows, dot, exact_columns, number, tables
from exact_tables import noisy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from pipeline.exact import cores, gram_sums
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums, gram_matrix


@given(tables(number, 3, 12))
@example([[5e-324, 1e308, 1.0], [-1.7e308, 5e-324, 3.0]])
@settings(deadline=None, max_examples=150)
def test_every_inner_product_is_exact(rows: Rows) -> None:
    table = np.array(rows)
    matrix, columns = gram_matrix(table), exact_columns(table)
    assert matrix.rows == len(rows)
    for (i, a), (j, b) in itertools.product(enumerate(columns), repeat=2):
        assert matrix.inner_product(i, j) == dot(a, b)
    for i, mean in enumerate(matrix.means(), 1):
        assert mean == float(sum(columns[i], Fraction(0)) / len(rows))


@given(tables(st.floats(width=32, allow_nan=False, allow_infinity=False), 3, 12))
@settings(deadline=None, max_examples=80)
def test_every_inner_product_of_float32_is_exact(rows: Rows) -> None:
    table = np.array(rows, np.float32)
    matrix, columns = gram_matrix(table), exact_columns(table)
    for (i, a), (j, b) in itertools.product(enumerate(columns), repeat=2):
        assert matrix.inner_product(i, j) == dot(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inner_products_of_blocks_and_of_rows_that_do_not_fit_are_exact(dtype: str) -> None:
    """More rows than a block has, of which a few go to FLINT."""
    table = noisy(5_000, dtype=dtype)
    table[1234, 3] = table[7, 1] = np.finfo(dtype).smallest_subnormal
    matrix, columns = gram_matrix(table), exact_columns(table)
    for (i, a), (j, b) in itertools.combinations_with_replacement(enumerate(columns), 2):
        assert matrix.inner_product(i, j) == matrix.inner_product(j, i) == dot(a, b)


def test_each_thread_of_ours_has_one_of_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenBLAS's own threads take 15 times as long as soon as anything else runs."""
    before = blas_threads()
    asked: list[list[int]] = []
    of_pieces = gram_sums._of_pieces

    def noted(*given: Any) -> Any:
        asked.append(blas_threads())
        return of_pieces(*given)

    monkeypatch.setattr(gram_sums, "_of_pieces", noted)
    gram_matrix(noisy(9_000), piece=750)
    assert len(asked) > 2
    assert {threads for each in asked for threads in each} == {1}
    assert blas_threads() == before


def blas_threads() -> list[int]:
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_only_a_few_pieces_wait_to_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of a thousand columns has a matrix of some 60 MB."""
    table = noisy(9_000)
    monkeypatch.setattr(cores, "available", lambda: 2)
    made: list[weakref.ReferenceType[Any]] = []
    held = []
    of_pieces = gram_sums._of_pieces

    def noted(*given: Any) -> Any:
        held.append(sum(each() is not None for each in made))
        matrix = of_pieces(*given)
        made.append(weakref.ref(matrix))
        return matrix

    monkeypatch.setattr(gram_sums, "_of_pieces", noted)
    assert gram_matrix(table, piece=100) == gram_matrix(table)
    assert len(held) > 20
    assert max(held) <= 7


narrow = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(tables(narrow, 2, 12), st.lists(narrow, min_size=2, max_size=2))
@settings(deadline=None, max_examples=80)
def test_deviations_from_any_centre_are_right(rows: Rows, centre: list[float]) -> None:
    table = np.array(rows)
    deviations = gram_matrix(table).deviations(np.array(centre)).tolist()
    for deviation, column, point in zip(deviations, exact_columns(table)[1:], centre, strict=True):
        squares = [(value - Fraction(point)) ** 2 for value in column]
        mean_square = sum(squares, Fraction(0)) / len(rows)
        assert abs(Fraction(deviation) ** 2 - mean_square) <= mean_square / 2**50


@given(tables(number, 3, 12), st.data())
@example([[5e-324, 1e308, 1.0], [-1.7e308, 5e-324, 3.0]], None)
@settings(deadline=None, max_examples=100)
def test_the_canonical_form_depends_on_inner_products_alone(rows: Rows, data: Any) -> None:
    """Of rows in two parts and of all rows at once: the same integers, the same products."""
    table = np.array(rows)
    cut = data.draw(st.integers(0, len(rows))) if data else 1
    parts = gram_matrix(table[:cut]) + gram_matrix(table[cut:])
    whole = gram_matrix(table)
    assert parts.canonical() == whole.canonical() == whole.canonical().canonical()
    assert whole.canonical().entries[0][0] == len(rows)
    for i, j in itertools.product(range(4), repeat=2):
        assert whole.canonical().inner_product(i, j) == whole.inner_product(i, j)


def grams_of(*tables: NDArray[np.float64], ends: list[int]) -> tuple[Gram, ...]:
    sums = GramSums(sum(table.shape[1] for table in tables), len(ends))
    sums.add(*tables, ends=ends)
    return sums.taken()


def test_matrices_of_parts_are_those_of_their_rows() -> None:
    """A part may have no rows or one row; rows that do not fit into slices are in their part."""
    table = noisy(9_000)
    part = np.random.default_rng(1).integers(0, 3, len(table)).astype(np.uint8)
    part[part == 2] = 3
    part[17] = 4
    sorted_rows = table[np.argsort(part, kind="stable")]
    ends = np.cumsum(np.bincount(part, minlength=6)).tolist()
    columns = sorted_rows[:, :2], np.asfortranarray(sorted_rows[:, 2:])
    matrices = grams_of(*columns, ends=ends)
    assert [matrix.rows for matrix in matrices] == np.bincount(part, minlength=6).tolist()
    for place, matrix in enumerate(matrices):
        assert matrix.canonical() == gram_matrix(table[part == place]).canonical()
    empty = grams_of(table[:0], ends=[0, 0])
    assert [matrix.canonical() for matrix in empty] == [gram_matrix(table[:0])] * 2


@given(tables(number, 2, 12), st.lists(number, min_size=2, max_size=2))
@settings(deadline=None, max_examples=80)
def test_inner_products_of_centred_columns_are_exact(rows: Rows, centre: list[float]) -> None:
    table = np.array(rows)
    matrix = gram_matrix(table).centred(np.array(centre))
    columns = [
        [value - Fraction(point) for value in column]
        for column, point in zip(exact_columns(table), [0.0, *centre], strict=True)
    ]
    for (i, a), (j, b) in itertools.product(enumerate(columns), repeat=2):
        assert matrix.inner_product(i, j) == dot(a, b)


def test_the_rows_of_a_part_are_taken_out_again() -> None:
    """Training rows are all rows less a fold's: bit for bit the matrix of the other rows."""
    rows = np.random.default_rng(0).normal(size=(31, 3)) * [1e-9, 1, 1e9]
    parts = [gram_matrix(rows[place::4]) for place in range(4)]
    total = sum(parts[1:], parts[0])
    for place, part in enumerate(parts):
        others = np.arange(31) % 4 != place
        assert total - part == gram_matrix(rows[others]).canonical()
    assert total - total == Gram.of_no_rows(3)
    assert total - Gram.of_no_rows(3) == total.canonical()
    with pytest.raises(AssertionError):
        parts[0] - total
