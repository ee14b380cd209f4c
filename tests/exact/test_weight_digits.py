"""Weights lose no digit on their way into the Gram matrix, whatever their sizes."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from exact_reference import Rows, exact_columns, number, tables
from exact_tables import noisy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.exact import cores, gram_sums
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums, gram_matrix
from pipeline.exact.integer_products import multiplied_as_integers
from pipeline.exact.least_squares import fit
from pipeline.exact.weight_digits import WeightDigits

Floats = NDArray[np.float64]

SIZES: dict[str, Floats] = {
    "small integers": np.arange(1.0, 901) % 7 + 1,
    "one size": np.random.default_rng(0).uniform(0.5, 1, 900),
    "from 1 to 10^9": 10 ** np.random.default_rng(1).uniform(0, 9, 900),
    "of any size": 10 ** np.random.default_rng(2).uniform(-300, 300, 900),
    "a huge one": np.append(np.full(899, 0.1), 1e308),
    "a tiny one": np.append(np.full(899, 3.7), 5e-324),
    "odd unit": np.full(900, 0.5),
}


def weighted(columns: Sequence[Sequence[Fraction]], weights: Floats, i: int, j: int) -> Fraction:
    terms = zip(weights.tolist(), columns[i], columns[j], strict=True)
    return sum((Fraction(w) * a * b for w, a, b in terms), Fraction(0))


positive = st.one_of(
    st.floats(min_value=0, exclude_min=True, allow_infinity=False), st.integers(1, 99).map(float)
)


@given(tables(number, 2, 12), st.data())
@example([[5e-324, 1e308], [-1.7e308, 5e-324]], None)
@settings(deadline=None, max_examples=200)
def test_every_weighted_inner_product_is_exact(rows: Rows, data: st.DataObject | None) -> None:
    size = len(rows)
    drawn = data.draw(st.lists(positive, min_size=size, max_size=size)) if data else [5e-324, 1e308]
    table, weights = np.array(rows), np.array(drawn)
    matrix, columns = gram_matrix(table, weights=weights), exact_columns(table)
    assert matrix.rows == size
    assert matrix.weight == sum(map(Fraction, drawn), Fraction(0))
    for i, j in itertools.product(range(3), repeat=2):
        assert matrix.inner_product(i, j) == weighted(columns, weights, i, j)
    cut = data.draw(st.integers(0, size)) if data else 1
    first = gram_matrix(table[cut:][::-1], weights=weights[cut:][::-1])
    parts = first + gram_matrix(table[:cut], weights=weights[:cut])
    assert parts.canonical() == matrix == multiplied_as_integers(table, weights).canonical()


@pytest.mark.parametrize("name", SIZES)
def test_weights_are_the_sums_of_their_digits(name: str) -> None:
    weights = SIZES[name]
    plan = WeightDigits.of(weights)
    digits, unfit = plan.cut(weights)
    assert unfit.sum() < 3 or name == "of any size"
    assert plan.suits(weights[~unfit])
    for row in np.flatnonzero(~unfit):
        found = [
            int(digit[row]) * Fraction(4) ** exponent
            for digit, exponent in zip(digits, plan.exponents, strict=True)
        ]
        assert sum(found, Fraction(0)) == Fraction(weights[row])
    assert all(digit.max() < 2**14 and not digit[unfit].any() for digit in digits)


@pytest.mark.parametrize("name", SIZES)
def test_pieces_with_weights_of_other_sizes(name: str) -> None:
    """The plan of the piece before may not suit: it is made again, and nothing is lost."""
    table, others = noisy(900), np.random.default_rng(3).permutation(SIZES["small integers"])
    pieces = [(table, others), (table * 1e-7, SIZES[name]), (table[::-1], others)]
    sums = GramSums(table.shape[1])
    for rows, weights in pieces:
        sums.add(rows, ends=[len(rows)], weights=weights)
    whole = multiplied_as_integers(*map(np.concatenate, zip(*pieces, strict=True)))
    assert sums.taken()[0].canonical() == whole.canonical()


def test_parts_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a wide table, whose products are not kept, and with rows that do not fit."""
    table = noisy(9_000)
    table[1234, 3] = table[7, 1] = 5e-324
    weights = np.resize(SIZES["from 1 to 10^9"], len(table))
    weights[77] = 1e-200
    whole = multiplied_as_integers(table, weights).canonical()
    assert gram_matrix(table, weights=weights) == whole
    monkeypatch.setattr(cores, "available", lambda: 3)
    assert gram_matrix(table, weights=weights, piece=700) == whole
    monkeypatch.setattr(gram_sums, "KEPT_BYTES", 1_000)
    sums = GramSums(table.shape[1], 3)
    with cores.one_blas_thread():
        for begin, end in pairwise(range(0, 9_001, 3_000)):
            piece = slice(begin, end)
            sums.add(table[piece], ends=[400, 400, 3_000], weights=weights[piece])
    first, none, last = sums.taken()
    assert (first.rows, none.rows, last.rows) == (1_200, 0, 7_800)
    assert (first + none + last).canonical() == whole


def test_integer_weights_are_repeated_rows() -> None:
    """Bit for bit: the matrix, its canonical form, and the figures that rest on the weight."""
    table, times = noisy(300), np.arange(300) % 4 + 1
    once = gram_matrix(table, weights=times.astype(np.float64))
    often = gram_matrix(np.repeat(table, times, axis=0))
    assert (once.entries, once.exponents) == (often.entries, often.exponents)
    assert (once.rows, once.weight, often.rows) == (300, times.sum(), times.sum())
    assert once.means().tolist() == often.means().tolist()
    assert once.deviations().tolist() == often.deviations().tolist()


@pytest.mark.parametrize("factor", [2.0**-7, 4.0, 10.0])
def test_the_unit_of_weights_changes_no_solution(factor: float) -> None:
    """Weights that are too small by a factor: the same line and the same standard errors."""
    table = noisy(200)[:, :3]
    weights = np.random.default_rng(4).integers(1, 9, len(table)).astype(np.float64)
    names = (["a", "b"], ["y"])
    plain, other = (
        fit(gram_matrix(table, weights=each), *names) for each in (weights, weights * factor)
    )
    assert plain.weight.tolist() == other.weight.tolist()
    assert plain.std_error.tolist() == other.std_error.tolist()
    assert plain.r2.tolist() == other.r2.tolist()


def test_a_whole_weight_is_made_of_fractions() -> None:
    matrix = gram_matrix(np.array([[1.0], [2.0]]), weights=np.array([0.125, 0.25]))
    whole = matrix.with_whole_weight()
    assert (matrix.exponents[0], whole.exponents[0]) == (-2, 0)
    assert whole.weight == 16 * matrix.weight == whole.entries[0][0]
    assert Gram.of_no_rows(2).with_whole_weight() == Gram.of_no_rows(2)
