"""Products of slices are the same integers wherever float64 is computed."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch

from pipeline.compute import gpu_products
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.slice_plan import SlicePlan
from pipeline.exact.slices import Slicer
from pipeline.settings.errors import UserError


def slices_of(rows: int, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the slices of a random table whose columns have other sizes."""
    draws = np.random.default_rng(0)
    table = draws.normal(size=(rows, columns)) * 10.0 ** draws.integers(-9, 9, columns)
    slices, unfit = Slicer(SlicePlan.of([table]), rows).cut([table])
    assert not unfit.all()
    return slices.copy()


def device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA GPU")
    return torch.device(name)


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (100, 3), (1_024, 33)])
def test_products_are_exact(name: str, rows: int, columns: int) -> None:
    slices = slices_of(rows, columns)
    products = gpu_products.products(slices, slices, device(name))
    assert np.array_equal(products, slices @ slices.T)
    first, last = ([Fraction(number) for number in slices[place]] for place in (0, -1))
    exact = sum((a * b for a, b in zip(first, last, strict=True)), Fraction(0))
    assert Fraction(float(products[0, -1])) == exact


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_a_gram_matrix_is_the_same_on_a_gpu(name: str) -> None:
    table = np.random.default_rng(0).normal(size=(3_000, 5)) * [1, 1e-9, 1e9, 3, 7]
    product = partial(gpu_products.products, device=device(name))
    assert gram_matrix(table, product=product) == gram_matrix(table)
    weights = np.abs(table[:, 0]) + 0.1
    weighted = gram_matrix(table, weights=weights, product=product)
    assert weighted == gram_matrix(table, weights=weights)


@pytest.mark.gpu
def test_a_gpu_gives_the_largest_digits_exactly() -> None:
    digits = np.full((2, 1_024), 2.0**20)
    digits[1, ::2] -= 1
    products = gpu_products.products(digits, digits, device("cuda"))
    assert np.array_equal(products, digits @ digits.T)


def test_emulated_float64_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setenv("CUBLAS_EMULATE_DOUBLE_PRECISION", "0")
    gpu_products.products(slices_of(9, 1), slices_of(9, 1), cpu)
    monkeypatch.setenv("CUBLAS_EMULATE_DOUBLE_PRECISION", "1")
    with pytest.raises(UserError, match=r"CUBLAS_EMULATE_DOUBLE_PRECISION: found 1, .*`unset"):
        gpu_products.products(slices_of(9, 1), slices_of(9, 1), cpu)
