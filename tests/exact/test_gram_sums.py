"""The sums of pieces of a table are those of its rows, whichever plans were kept for them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from exact_reference import number
from exact_tables import noisy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.exact import gram_sums
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums
from pipeline.exact.integer_products import multiplied_as_integers
from pipeline.exact.slice_plan import Bounds, SlicePlan, bounds_of

Floats = NDArray[np.float64]


def summed(pieces: Sequence[Floats]) -> Gram:
    """Return the sum of pieces, added one after the other."""
    sums = GramSums(pieces[0].shape[1])
    for piece in pieces:
        sums.add(piece, ends=[len(piece)])
    return sums.taken()[0].canonical()


def expected(pieces: Sequence[Floats]) -> Gram:
    """Return the sum of all rows as FLINT multiplies them."""
    return multiplied_as_integers(np.concatenate(pieces)).canonical()


def random_rows(rows: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, 3))


FIRST_AND_NEXT = {
    # The first ones are whole multiples, or far from zero: their plan looks at no number.
    "certain, then small": (random_rows(900, 0) ** 2 + 1, random_rows(900, 1)),
    "certain, then zero": (np.full((90, 3), 5.0), np.zeros((90, 3))),
    "certain, then finer": (np.full((90, 3), 4.0), np.full((90, 3), 4.0 + 2**-50)),
    "certain, then fine below": (np.full((90, 3), 1.5), np.full((90, 3), 1 - 2**-53)),
    "centred, then far": (random_rows(900, 0) / 9 + 50, random_rows(900, 1) * 5 + 50),
    "centred, then beyond": (random_rows(900, 0) / 9 + 50, random_rows(900, 1) / 9 + 70),
    "centred, then negative": (random_rows(900, 0) / 9 + 50, random_rows(900, 1) / 9 - 50),
    "integers, then fractions": (np.rint(random_rows(900, 0) * 9), random_rows(900, 1)),
    "small, then large": (random_rows(900, 0), random_rows(900, 1) * 1e6),
    "large, then small": (random_rows(900, 0) * 1e9, random_rows(900, 1) * 1e-9),
    "plain, then extreme": (random_rows(900, 0), random_rows(900, 1) * 1e300),
    "extreme, then plain": (random_rows(900, 0) * 1e-300, random_rows(900, 1)),
    "extreme, then less": (random_rows(900, 0) * 1e-290, random_rows(900, 1) * 1e-305),
    "the same": (random_rows(900, 0), random_rows(900, 1)),
}


@pytest.mark.parametrize("name", FIRST_AND_NEXT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_piece_that_the_kept_plan_does_not_suit(name: str, dtype: str) -> None:
    limit = float(np.finfo(dtype).max)
    first, following = (np.clip(p, -limit, limit).astype(dtype) for p in FIRST_AND_NEXT[name])
    pieces = [first, following, first[::-1]]
    assert summed(pieces) == expected(pieces)


wild = st.one_of(number, st.integers(-9, 9).map(float), st.sampled_from([0.0, 0.1, 50.1, 50.2]))


@given(st.lists(st.tuples(wild, wild), min_size=2, max_size=30), st.data())
@settings(deadline=None, max_examples=150)
def test_any_pieces_of_any_numbers(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    table = np.array(rows)
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=4).map(sorted))
    pieces = [table[begin:end] for begin, end in pairwise([0, *cuts, len(rows)])]
    assert summed(pieces) == expected(pieces)


def test_one_plan_is_made_for_pieces_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then Python's integers are made once; and again for numbers of which most do not fit."""
    monkeypatch.setattr(gram_sums, "ROWS_FOR_AN_UNFIT_ONE", 8)
    plans: list[int] = []
    make = SlicePlan.of

    def noted(tables: Sequence[Floats], bounds: Bounds | None = None) -> SlicePlan:
        plans.append(len(tables[0]))
        return make(tables, bounds)

    monkeypatch.setattr(SlicePlan, "of", noted)
    whole = np.clip(random_rows(3_000, 0), -3.9, 3.9)
    whole[::1_000] = 3.9
    sums = GramSums(3)
    for piece in np.split(whole, 3):
        sums.add(piece, ends=[1_000])
    assert plans == [1_000]
    for piece in np.split(whole * 1e-12, 3):
        sums.add(piece, ends=[1_000])
    assert plans == [1_000, 1_000]
    sums.taken()
    assert plans[2:] == [1_000]  # for the rows that did not fit


def test_wide_tables_keep_the_products_of_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand columns the products of five folds are a gigabyte."""
    monkeypatch.setattr(gram_sums, "KEPT_BYTES", 1_000)
    table = noisy(3_000)
    sums = GramSums(table.shape[1], 2)
    for piece in np.split(table, 3):
        sums.add(piece, ends=[400, 1_000])
    firsts = np.concatenate([table[at : at + 400] for at in (0, 1_000, 2_000)])
    first, second = sums.taken()
    assert first.canonical() == multiplied_as_integers(firsts).canonical()
    assert (first + second).canonical() == multiplied_as_integers(table).canonical()


def test_a_plan_suits_the_rows_it_was_made_for() -> None:
    for table in (piece for pieces in FIRST_AND_NEXT.values() for piece in pieces):
        assert SlicePlan.of([table]).suits([table], bounds_of([table]))
