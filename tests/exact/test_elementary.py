"""Logarithms and exponentials are the true ones to 0.52 units, in the same bits on every CPU.

Elsewhere a table's logarithms would differ in their last bits from machine to machine, and with
them everything that is fitted to them.
"""

import hashlib
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from conftest import NUMPY_OFF, ROOT
from flint import arb
from numpy.typing import NDArray

from pipeline.exact import elementary
from pipeline.exact.elementary import MOST_ERROR
from pipeline.exact.rounding import exactly, precision

Floats = NDArray[np.float64]
HUGE, TINY, SMALLEST = np.finfo(np.float64).max, np.finfo(np.float64).tiny, 2.0**-1074


def test_logarithms_are_the_true_ones() -> None:
    assert _most_error(elementary.log, arb.log, _positive(10_000)) <= MOST_ERROR


def test_exponentials_are_the_true_ones() -> None:
    assert _most_error(elementary.exp, arb.exp, _exponents(10_000)) <= MOST_ERROR


def test_exact_cases_and_those_without_an_answer() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logs = elementary.log(np.array([1.0, math.inf, 0.0, -0.0, -1.0, -math.inf, math.nan]))
        powers = elementary.exp(
            np.array([0.0, -0.0, math.inf, -math.inf, 709.79, -745.2, math.nan])
        )
    assert logs[:4].tolist() == [0.0, math.inf, -math.inf, -math.inf]
    assert np.isnan(logs[4:]).all()
    assert powers[:6].tolist() == [1.0, 1.0, math.inf, 0.0, math.inf, 0.0]
    assert math.isnan(powers[6])


def test_the_last_finite_and_the_last_positive_exponential() -> None:
    last, first = 709.782712893384, -745.1332191019411  # the next ones give infinity and zero
    ends = np.array([last, np.nextafter(last, 710), first, np.nextafter(first, -746)])
    assert np.isfinite(elementary.exp(ends)).tolist() == [True, False, True, True]
    assert elementary.exp(ends)[2:].tolist() == [SMALLEST, 0.0]


def test_logarithms_and_exponentials_rise() -> None:
    """A model that orders two prices must not order them otherwise in their own unit."""
    logs = elementary.log(np.sort(_positive(20_000)))
    powers = elementary.exp(np.sort(_exponents(20_000)))
    assert (logs[1:] >= logs[:-1]).all()
    assert (powers[1:] >= powers[:-1]).all()


def test_any_shape_and_the_callers_numbers_stay() -> None:
    values = np.asfortranarray(_positive(9_000)[:18_000].reshape(9, 2_000)[:, ::2])
    before = values.copy()
    assert elementary.log(values).shape == (9, 1_000)
    assert elementary.log(values)[4, 7] == elementary.log(values[4, 7:8])[0]
    assert np.array_equal(values, before)
    assert elementary.exp(np.empty((0, 2))).shape == (0, 2)


BITS = "865ce82ceeabe0e271e29be8fb9ed1d2"


def test_the_bits_are_those_of_every_other_machine() -> None:
    assert _bits() == BITS


@pytest.mark.parametrize("features", ["X86_V4 AVX512_ICL AVX512_SPR", NUMPY_OFF])
def test_the_bits_do_not_depend_on_the_instruction_set(features: str) -> None:
    command = "from exact.test_elementary import _bits; print(_bits())"
    environment = os.environ | {
        "NPY_DISABLE_CPU_FEATURES": features,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests"))),
    }
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == BITS


def _bits() -> str:
    """Return a hash of many results."""
    results = elementary.log(_positive(30_000)), elementary.exp(_exponents(30_000))
    return hashlib.md5(b"".join(result.tobytes() for result in results)).hexdigest()


def _positive(rows: int) -> Floats:
    """Return numbers of every size, subnormal ones, those near 1, and worst cases of rounding.

    The worst: Lefèvre and Muller, Worst cases for correct rounding of the elementary functions in
    double precision (2001). Drawn by bits, as NumPy's own powers differ between CPUs.
    """
    random = np.random.default_rng(1)
    any_size = random.integers(1, 0x7FF << 52, rows).view(np.float64)
    subnormal = random.integers(1, 1 << 52, rows // 10).view(np.float64)
    near_one = 1 + random.integers(-(2**45), 2**45, rows) * 2.0**-53
    nearer = 1 + random.integers(-1000, 1000, 100) * 2.0**-53
    usual = random.uniform(0.5, 2, rows)
    bounds = (np.arange(180, 364) + 0.5) / 256
    edges = np.concatenate([np.nextafter(bounds, 0), bounds, np.nextafter(bounds, 2)])
    worst = [float.fromhex(text) for text in ("0x1.62a88613629b6p+678", "0x1.ab50b409c8aeep-520")]
    special = np.array([SMALLEST, TINY, HUGE, math.sqrt(0.5), math.sqrt(2), *worst])
    return np.concatenate([any_size, subnormal, near_one, nearer, usual, edges, special])


def _exponents(rows: int) -> Floats:
    """Return numbers over the whole range, those with subnormal powers, and small ones."""
    random = np.random.default_rng(2)
    wide, low = random.uniform(-746, 710, rows), random.uniform(-745.2, -708, rows // 4)
    usual, small = random.uniform(-2, 2, rows), random.uniform(-1, 1, rows // 4) * 2.0**-20
    halves = (np.arange(-700, 700) + 0.5) * (0.6931471805599453 / 128)
    worst = [float.fromhex(text) for text in ("0x1.e8bdbfcd9144ep+3", "-0x1.ea16274b0109bp-3")]
    special = np.array([SMALLEST, -SMALLEST, TINY, *worst])
    return np.concatenate([wide, low, usual, small, halves, special])


def _most_error(
    function: Callable[[Floats], Floats], truth: Callable[[arb], arb], values: Floats
) -> Fraction:
    """Return the largest error, in units of the last place of the result."""
    worst = Fraction(0)
    with precision(200):
        for value, result in zip(values.tolist(), function(values).tolist(), strict=True):
            if result in (0.0, math.inf):
                continue  # log 1; beyond the largest number: tested above
            error = abs(exactly(truth(arb(value)).mid()) - Fraction(result))
            worst = max(worst, error / Fraction(math.ulp(result)))
    return worst
