"""Products of slices are exact in whatever order they are added, or are refused."""

import numpy as np
import pytest
from exact_tables import noisy
from numpy.typing import NDArray

from pipeline.exact import products
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums, gram_matrix
from pipeline.exact.integer_products import multiplied_as_integers
from pipeline.exact.products import Product, own_product

Floats = NDArray[np.float64]


def adversarial(name: str) -> Floats:
    """Return a table that the plan, which looks at a sample of it, gets wrong."""
    random = np.random.default_rng(0)
    table = random.normal(size=(3_000, 4))
    places = random.permutation(3_000)[:40]
    if name == "large":
        table[places, 1] = 10.0 ** random.integers(3, 300, 40)
    elif name == "small":
        table[places, 1] = 10.0 ** random.integers(-300, -3, 40)
    elif name == "both":
        table[places, 1], table[places, 2] = 1.7e308, 5e-324
    elif name == "trend":
        table *= np.exp(np.arange(3_000) / 200)[:, None]
    elif name == "centre":
        table = table * [1e-3, 1, 1e-9, 1e-5] + [100, 1e5, -3, 1 / 3]
    elif name == "full":
        # Digits as large as they get, of one sign: sums reach 2^53 soonest.
        table[:] = 2.0**23 - 1
        table[::7, 0] = -1
    elif name == "zeros":
        table[:, 1:3] = 0
        table[2_999, 2] = 1e-200
    return table


@pytest.mark.parametrize(
    "name", ["large", "small", "both", "trend", "centre", "full", "zeros", "plain"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inner_products_are_those_of_integers(name: str, dtype: str) -> None:
    """FLINT multiplies the rows as integers."""
    limit = np.finfo(dtype).max
    table = np.clip(adversarial(name), -limit, limit).astype(dtype)
    expected = multiplied_as_integers(table).canonical()
    assert gram_matrix(table) == expected
    assert gram_matrix(np.asfortranarray(table[:, :1]), table[:, 1:], piece=700) == expected
    first, second, none = grams_of(table, [1, 3_000, 3_000])
    assert (first.rows, none.rows) == (1, 0)
    assert (first + second + none).canonical() == expected


def grams_of(table: Floats, ends: list[int], product: Product = own_product) -> tuple[Gram, ...]:
    sums = GramSums(table.shape[1], len(ends), product)
    sums.add(table, ends=ends)
    return sums.taken()


def permuted(weighted: Floats, slices: Floats) -> Floats:
    """Multiply by blocks of rows in another order."""
    order = np.random.default_rng(0).permutation(slices.shape[1])
    blocks = np.array_split(order, 7)
    product: Floats = np.sum([weighted[:, block] @ slices[:, block].T for block in blocks], axis=0)
    return product


def one_by_one(weighted: Floats, slices: Floats) -> Floats:
    """Multiply from the last row to the first, without BLAS."""
    product = np.zeros((len(slices), len(slices)))
    for left, column in zip(weighted.T[::-1], slices.T[::-1], strict=True):
        product += left[:, None] * column
    return product


@pytest.mark.parametrize("product", [permuted, one_by_one])
@pytest.mark.parametrize("name", ["plain", "large", "full"])
def test_the_order_of_a_product_changes_nothing(product: Product, name: str) -> None:
    """So a GPU may multiply."""
    table = adversarial(name)
    assert gram_matrix(table, product=product) == gram_matrix(table)
    ends = [1_000, 3_000]
    assert grams_of(table, ends, product) == grams_of(table, ends)


def test_sums_that_would_be_rounded_are_kept_as_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table as long as this has sums beyond 2^53 units, and beyond int64."""
    monkeypatch.setattr(products, "MOST_SUMS", 2)
    table = np.full((40_000, 2), 2.0**23 - 1)
    table[::2, 1] = 2
    table[::5, 0] = 3
    matrix = gram_matrix(table)
    integers = table.astype(np.int64).tolist()
    assert matrix.inner_product(0, 0) == 40_000
    assert matrix.inner_product(1, 1) == sum(a * a for a, _ in integers)
    assert matrix.inner_product(1, 2) == sum(a * b for a, b in integers)


def test_tables_of_every_small_size() -> None:
    for rows in (1, 2, 63, 64, 65):
        table = noisy(rows)
        assert gram_matrix(table) == multiplied_as_integers(table).canonical()
    assert gram_matrix(np.empty((0, 2))) == Gram(0, (0, 0, 0), ((0, 0, 0),) * 3)
    assert gram_matrix(np.empty((3, 0))) == Gram(3, (0,), ((3,),))
