"""Least squares is right to the last bit, for any numbers, in any order, on any machine."""

import inspect
import itertools
import math
import subprocess
import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import statsmodels.api as sm
from conftest import NUMPY_OFF, ROOT, environment
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from statsmodels.datasets import longley
from threadpoolctl import threadpool_info

from pipeline.exact import cores
from pipeline.exact import gram as exact
from pipeline.exact.least_squares import Fit, fit, gram, squared_error

Rows = list[list[float]]

any_float = st.floats(allow_nan=False, allow_infinity=False)
# Wide and narrow ranges, numbers that repeat, and those that cancel.
number = st.one_of(
    any_float, st.integers(-9, 9).map(float), st.floats(-1, 1), st.sampled_from([0.1, -0.0, 1e308])
)


def tables(numbers: st.SearchStrategy[float], columns: int, rows: int) -> st.SearchStrategy[Rows]:
    row = st.lists(numbers, min_size=columns, max_size=columns)
    return st.lists(row, min_size=1, max_size=rows)


def exact_columns(table: NDArray[np.floating]) -> list[list[Fraction]]:
    """The columns of [1 table]."""
    ones = [Fraction(1)] * len(table)
    return [ones, *([Fraction(value) for value in column] for column in table.T.tolist())]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def solved(columns: list[list[Fraction]], y: list[Fraction]) -> dict[int, Fraction]:
    """The solution of the normal equations by elimination, leaving out dependent columns."""
    kept: list[int] = []
    rows: list[list[Fraction]] = []
    for place, column in enumerate(columns):
        others = [columns[k] for k in kept]
        matrix = [[dot(a, b) for b in others] + [dot(a, column)] for a in others]
        factors = eliminated(matrix)
        rest = [
            x - sum((f * o[i] for f, o in zip(factors, others, strict=True)), Fraction(0))
            for i, x in enumerate(column)
        ]
        if any(rest):
            kept.append(place)
            rows.append(column)
    matrix = [[dot(a, b) for b in rows] + [dot(a, y)] for a in rows]
    return dict(zip(kept, eliminated(matrix), strict=True))


def eliminated(matrix: list[list[Fraction]]) -> list[Fraction]:
    """The solution of a regular system whose last column is the right-hand side."""
    size = len(matrix)
    for i in range(size):
        pivot = next(k for k in range(i, size) if matrix[k][i])
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        matrix[i] = [value / matrix[i][i] for value in matrix[i]]
        for k in range(size):
            if k != i and matrix[k][i]:
                matrix[k] = [
                    a - matrix[k][i] * b for a, b in zip(matrix[k], matrix[i], strict=True)
                ]
    return [row[-1] for row in matrix]


def nearest(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@given(tables(number, 3, 12))
@example([[5e-324, 1e308, 1.0], [-1.7e308, 5e-324, 3.0]])
@settings(deadline=None, max_examples=150)
def test_every_inner_product_is_exact(rows: Rows) -> None:
    table = np.array(rows)
    found, columns = gram(table), exact_columns(table)
    assert found.rows == len(rows)
    for (i, a), (j, b) in itertools.product(enumerate(columns), repeat=2):
        assert found.inner(i, j) == dot(a, b)
    for i, mean in enumerate(found.means(), 1):
        assert mean == float(sum(columns[i], Fraction(0)) / len(rows))


@given(tables(st.floats(width=32, allow_nan=False, allow_infinity=False), 3, 12))
@settings(deadline=None, max_examples=80)
def test_every_inner_product_of_float32_is_exact(rows: Rows) -> None:
    table = np.array(rows, np.float32)
    found, columns = gram(table), exact_columns(table)
    for (i, a), (j, b) in itertools.product(enumerate(columns), repeat=2):
        assert found.inner(i, j) == dot(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inner_products_of_blocks_and_of_rows_that_do_not_fit_are_exact(dtype: str) -> None:
    """More rows than a block has, of which a few go to FLINT."""
    table = noisy(5_000, dtype=dtype)
    table[1234, 3] = table[7, 1] = np.finfo(dtype).smallest_subnormal
    found, columns = gram(table), exact_columns(table)
    for (i, a), (j, b) in itertools.combinations_with_replacement(enumerate(columns), 2):
        assert found.inner(i, j) == found.inner(j, i) == dot(a, b)


@given(tables(st.integers(-2, 2).map(float), 5, 12), st.booleans())
@settings(deadline=None, max_examples=100)
def test_the_rank_and_the_combinations_of_small_integers_are_right(
    rows: Rows, intercept: bool
) -> None:
    table = np.array(rows)
    table[:, 3] = table[:, 0] - 2 * table[:, 1]
    columns = exact_columns(table)
    start = 0 if intercept else 1
    places = [start + place for place in solved(columns[start:5], columns[5])]
    found = fit(gram(table), list("abcd"), ["y"], intercept)
    assert found.rank == len(places)
    names = ["", *"abcd"]
    assert [each.name for each in found.dependent] == [
        names[place] for place in range(1, 5) if place not in places
    ]
    for each in found.dependent:
        column = columns[names.index(each.name)]
        terms = [(columns[names.index(name or "")], factor) for name, factor in each.combination]
        for i, value in enumerate(column):
            assert value == sum((factor * other[i] for other, factor in terms), Fraction(0))
        assert all(names.index(name or "") < names.index(each.name) for name, _ in each.combination)


@given(tables(st.one_of(st.floats(-1e9, 1e9), st.integers(-3, 3).map(float)), 4, 9), st.booleans())
@settings(deadline=None, max_examples=150)
def test_the_solution_is_the_exact_one_rounded(rows: Rows, intercept: bool) -> None:
    table = np.array(rows)
    found = fit(gram(table), ["a", "b", "c"], ["y"], intercept)
    columns = exact_columns(table)
    x, y = columns[:4] if intercept else columns[1:4], columns[4]
    expected = solved(x, y)
    assert found.rank == len(expected)
    ours = [found.bias[0], *found.weight[0]] if intercept else [*found.weight[0]]
    assert ours == [nearest(expected.get(place, Fraction(0))) for place in range(len(x))]
    errors = [
        b - sum((expected[k] * x[k][i] for k in expected), Fraction(0)) for i, b in enumerate(y)
    ]
    squares = dot(errors, errors)
    assert found.squares == (squares,)
    middle = sum(y, Fraction(0)) / len(y) if intercept else Fraction(0)
    variation = dot([b - middle for b in y], [b - middle for b in y])
    if variation:
        assert found.r2[0] == nearest(1 - squares / variation)
    else:
        assert math.isnan(found.r2[0])


@given(tables(number, 2, 6))
@settings(deadline=None, max_examples=60)
def test_any_numbers_have_a_solution(rows: Rows) -> None:
    """1e308 beside subnormals: slower if need be, never wrong."""
    table = np.array(rows)
    found = fit(gram(table), ["x"], ["y"])
    columns = exact_columns(table)
    expected = solved(columns[:2], columns[2])
    ours = [found.bias[0], found.weight[0, 0]]
    assert ours == [nearest(expected.get(place, Fraction(0))) for place in range(2)]


@given(tables(st.floats(-1e6, 1e6, width=32), 3, 8), st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=80)
def test_what_ships_is_rounded_once(rows: Rows, dtype: str) -> None:
    table = np.array(rows)
    centre = np.array([1.5, -1e3])
    found = fit(gram(table), ["a", "b"], ["y"])
    columns = exact_columns(table)
    expected = solved(columns[:3], columns[3])
    exact = [expected.get(place, Fraction(0)) for place in range(3)]
    for middle in (None, centre):
        weight, bias = found.shipped(dtype, middle)
        at = [Fraction(value) for value in (centre.tolist() if middle is not None else [0, 0])]
        wanted = [*exact[1:], exact[0] + dot(exact[1:], at)]
        for shipped, value in zip([*weight[0], *bias], wanted, strict=True):
            assert is_nearest(shipped, value)


def is_nearest(shipped: np.floating, value: Fraction) -> bool:
    """Whether no neighbour of `shipped` is nearer to `value`."""
    if not np.isfinite(shipped):
        return abs(value) > Fraction(float(np.finfo(shipped.dtype).max))
    apart = abs(Fraction(float(shipped)) - value)
    beside = [np.nextafter(shipped, shipped.dtype.type(way)) for way in (-np.inf, np.inf)]
    return all(apart <= abs(Fraction(float(b)) - value) for b in beside if np.isfinite(b))


def test_p_of_columns_that_thousands_of_bits_lie_apart() -> None:
    """Their t is known to no digit for long; with two degrees of freedom p is a square root."""
    table = [[-2, 1e9, 2, -2], [-2, 1e9, 2, 0], [0, -2, 0, 0], [-2e-17, -1e-38, 2e-308, 0]]
    for row in ([0, 0, 2e-308, 1], [1, 0, 0, 2e-308], [0.3, 0.7, 0, 1]):
        found = fit(gram(np.array([*table, row])), ["a", "b", "c"], ["y"], intercept=False)
        assert found.degrees_of_freedom == 2
        assert found.p == pytest.approx(1 - np.abs(found.t) / np.sqrt(2 + found.t**2), rel=1e-14)


def test_a_number_halfway_between_two_floats_goes_to_the_even_one() -> None:
    """A line of slope 1/3, which no ball holds without a radius."""
    unit = 3 * 2.0**-24
    third = fit(gram(np.array([[0, unit], [3, 1 + unit]])), ["x"], ["y"])
    _, bias = third.shipped("float32", np.array([3.0]))
    assert bias[0] == np.float32(1 + unit) == 1 + 2**-22
    third = fit(gram(np.array([[0.0, 1], [3, 2], [6, 3]])), ["x"], ["y"])
    value, _, _ = third.predict(np.array([[9 * 2.0**-53]]))
    assert value.item() == 1 + 2**-51


def test_columns_that_differ_by_a_number_too_small_for_thousands_of_bits_are_solved() -> None:
    """A condition number of 2^2097: the inverse needs more bits than 4,096."""
    table = np.array([[1e308, 1e308, 1.0], [5e-324, 1e-323, 2], [0, 0, 3]])
    found = fit(gram(table), ["a", "b"], ["y"], intercept=False)
    columns = exact_columns(table)
    expected = solved(columns[1:3], columns[3])
    assert found.weight[0].tolist() == [nearest(expected[0]), nearest(expected[1])]
    assert list(found.squares) == [9]


def test_an_inverse_of_few_digits_is_not_taken_for_a_tie() -> None:
    """At 4,096 bits the matrix is just not singular; its inverse has some six digits of them."""
    big, small, unit = 2.0**990, 2.0**-1055, 2.0**-300
    table = np.array([[big, big, unit], [small, 2 * small, 2 * unit], [0, 0, 3 * unit]])
    found = fit(gram(table), ["a", "b"], ["y"], intercept=False)
    a, b, _ = exact_columns(table)[1:]
    determinant = dot(a, a) * dot(b, b) - dot(a, b) ** 2
    for error, other in zip(found.std_error[0], (b, a), strict=True):
        variance = found.squares[0] * dot(other, other) / determinant
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
    found = fit(gram(table), [f"x{i}" for i in range(70)], ["y"])
    assert found.rank == 71
    assert [each.names for each in found.nearly_dependent] == [("x0", "x1")]
    (error,) = squared_error(gram(table), found.weight, found.bias)
    assert error >= found.squares[0] > 0


def bits(found: Fit) -> list[str]:
    """Every number of a fit, to the last bit."""
    arrays = (
        *(found.weight, found.bias, found.std_error, found.t, found.p, found.ci_low, found.ci_high),
        *(found.r2, found.residual_std_error, np.array(found.condition_number)),
        *found.shipped("float32", np.full(len(found.features), 0.1)),
        *found.predict(np.full((1, len(found.features)), 0.3)),
    )
    return [value.hex() for array in arrays for value in array.ravel().tolist()]


def noisy(rows: int, columns: int = 5, dtype: str = "float64") -> NDArray[np.float64]:
    """Columns of different sizes and kinds, in a few of whose rows the digits do not fit."""
    random = np.random.default_rng(0)
    table = random.normal(size=(rows, columns)) * np.logspace(-9, 9, columns)
    table[:, 1] = random.integers(0, 50, rows)
    table[::97, 2] *= 1e-20
    return table.astype(dtype)


def test_order_blocks_shards_and_layout_change_no_bit() -> None:
    table = noisy(9_000)
    names, answer = list("abcd"), ["y"]
    whole = bits(fit(gram(table), names, answer))
    order = np.random.default_rng(1).permutation(len(table))
    assert bits(fit(gram(table[order]), names, answer)) == whole
    assert bits(fit(gram(np.asfortranarray(table)), names, answer)) == whole
    assert bits(fit(gram(np.asfortranarray(table[:, :1]), table[:, 1:]), names, answer)) == whole
    for block in (3, 1000):  # 3,000 blocks are more than one int64 takes
        assert bits(fit(gram(table, block=block), names, answer)) == whole
    parts = [gram(part) for part in np.array_split(table, 7)]
    total = parts[0]
    for part in parts[1:]:
        total += part
    assert bits(fit(total, names, answer)) == whole
    single = noisy(5_000, dtype="float32")
    assert bits(fit(gram(single), names, answer)) == bits(
        fit(gram(single.astype(np.float64)), names, answer)
    )


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    table = noisy(9_000)
    whole = bits(fit(gram(table, block=4_096), list("abcd"), ["y"]))
    for threads in (1, 3):
        monkeypatch.setattr(cores, "available", lambda threads=threads: threads)
        assert bits(fit(gram(table, block=50), list("abcd"), ["y"])) == whole


def test_each_thread_of_ours_has_one_of_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenBLAS's own threads take 15 times as long as soon as anything else runs."""
    before = blas_threads()
    asked: list[list[int]] = []
    multiply = exact._sum

    def noted(*given: Any) -> Any:
        asked.append(blas_threads())
        return multiply(*given)

    monkeypatch.setattr(exact, "_sum", noted)
    gram(noisy(9_000), block=50)
    assert len(asked) == 12
    assert {threads for each in asked for threads in each} == {1}
    assert blas_threads() == before


def blas_threads() -> list[int]:
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_sums_of_thousands_of_full_blocks_do_not_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits as large as they get, in as many blocks as a piece has at the most."""
    rows = exact.BLOCK * 8 * (exact.LONGEST + 1)
    monkeypatch.setattr(cores, "available", lambda: 1)
    table = np.broadcast_to(np.float32(1 - 2**-24), (rows, 1))
    value = Fraction(float(table[0, 0]))
    found = gram(table)
    assert found.inner(1, 1) == rows * value**2
    assert found.inner(0, 1) == rows * value


def test_only_a_few_pieces_wait_to_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of a thousand columns has a matrix of 126 MB."""
    table = noisy(9_000)
    whole = gram(table)
    monkeypatch.setattr(cores, "available", lambda: 2)
    monkeypatch.setattr(exact, "LONGEST", 2)
    made: list[weakref.ReferenceType[Any]] = []
    held = []
    multiply = exact._sum

    def noted(*given: Any) -> Any:
        held.append(sum(each() is not None for each in made))
        products, rest = multiply(*given)
        made.append(weakref.ref(products))
        return products, rest

    monkeypatch.setattr(exact, "_sum", noted)
    assert gram(table, block=50) == whole
    assert len(held) == 90
    assert max(held) <= 6


# Not an import of this module, which imports statsmodels.
MACHINE = f"""
from __future__ import annotations
import numpy as np
from pipeline.exact.least_squares import fit, gram
{inspect.getsource(bits)}
{inspect.getsource(noisy)}
for rows in (200, 9000):
    print(bits(fit(gram(noisy(rows)), list("abcd"), ["y"])))
"""


def test_threads_and_instruction_sets_change_no_bit() -> None:
    machines = [
        *itertools.product("12", ["Prescott", "Haswell"], ["", NUMPY_OFF]),
        ("2", "SkylakeX", "AVX512F AVX512_SKX"),
    ]

    def told(machine: tuple[str, str, str]) -> bytes:
        threads, core, features = machine
        variables = environment(
            OMP_NUM_THREADS=threads,
            OPENBLAS_NUM_THREADS=threads,
            OPENBLAS_CORETYPE=core,
            NPY_DISABLE_CPU_FEATURES=features,
        )
        return subprocess.check_output([sys.executable, "-c", MACHINE], cwd=ROOT, env=variables)

    with ThreadPoolExecutor(2) as pool:
        printed = set(pool.map(told, machines))
    assert len(printed) == 1
    assert printed.pop().count(b"0x") > 50


def test_dependent_columns_are_named() -> None:
    x = np.random.default_rng(0).integers(-50, 50, (20, 2)).astype(float)
    five = np.full(20, 5.0)
    table = np.column_stack(
        [x[:, 0], five, x[:, 0], 2 * x[:, 0], x[:, 1], x[:, 0] - 3 * x[:, 1] + 0.5, 0 * five, five]
    )
    names = ["a", "five", "again", "twice", "b", "mix", "nought"]
    found = fit(gram(table), names, ["y"])
    assert [str(each) for each in found.dependent] == [
        "five is 5 in every row",
        "again is a copy of a",
        "twice = 2·a",
        "mix = a − 3·b + 0.5",
        "nought is zero in every row",
    ]
    assert found.rank == 3
    assert found.dropped == {"five", "again", "twice", "mix", "nought"}
    assert np.isnan(found.std_error[0, 1])
    through_the_origin = fit(gram(table), names, ["y"], intercept=False)
    assert "five" not in through_the_origin.dropped


def test_a_factor_beyond_float64_can_be_shown() -> None:
    small, large = np.array([5e-324, 1e-323, 0]), np.array([8e307, 1.6e308, 0])
    for first, second in ((small, large), (large, small)):
        table = np.column_stack([first, second, [1.0, 2, 3]])
        (found,) = fit(gram(table), ["a", "b"], ["y"]).dependent
        (term,) = found.combination
        assert term == ("a", Fraction(second[0]) / Fraction(first[0]))
        assert str(found).startswith("b = ")
        assert str(found) != "b = 0·a"


def test_nearly_dependent_columns_are_named() -> None:
    random = np.random.default_rng(0)
    shares = np.round(random.dirichlet([1, 1, 1], 50) * 100, 2)
    shares[:, 2] = np.round(100 - shares[:, 0] - shares[:, 1], 2)
    table = np.column_stack([shares, random.normal(size=(50, 2))])
    found = fit(gram(table), ["p", "q", "r", "other"], ["y"])
    assert not found.dependent
    assert [each.names for each in found.nearly_dependent] == [("p", "q", "r")]
    assert found.condition_number > 1e12
    # As near as float32 comes, which float64 could tell apart.
    x = random.normal(size=(60, 1))
    pair = np.hstack([x, x * (1 + 1e-8 * random.normal(size=(60, 1))), x**2])
    assert not fit(gram(pair), ["x", "z"], ["y"]).nearly_dependent
    assert fit(gram(pair), ["x", "z"], ["y"], roundoff=[2**-24, 2**-24]).nearly_dependent


def test_the_condition_number_is_that_of_columns_of_length_one() -> None:
    table = noisy(300)
    design = np.column_stack([np.ones(300), table[:, :4]])
    expected = np.linalg.cond(design / np.linalg.norm(design, axis=0))
    found = fit(gram(table), list("abcd"), ["y"]).condition_number
    assert found == float(f"{expected:.4g}")


@given(tables(st.floats(-1e5, 1e5), 3, 6))
@settings(deadline=None, max_examples=50)
def test_the_squared_error_of_any_line_is_exact(rows: Rows) -> None:
    table = np.array(rows)
    weight, bias = np.array([[0.1, -2.5]], np.float32), np.array([1e-3])
    for centre in (None, np.array([0.3, 7.0])):
        (found,) = squared_error(gram(table), weight, bias, centre)
        middle = [Fraction(c) for c in ([0, 0] if centre is None else centre.tolist())]
        slopes = [Fraction(w) for w in weight[0].tolist()]
        expected = Fraction(0)
        for *x, y in [[Fraction(value) for value in row] for row in rows]:
            line = dot(slopes, [a - c for a, c in zip(x, middle, strict=True)])
            expected += (line + Fraction(bias[0]) - y) ** 2
        assert found == expected


def test_without_degrees_of_freedom_there_are_no_errors() -> None:
    table = np.array([[1.0, 2.0], [2.0, 5.0]])
    found = fit(gram(table), ["x"], ["y"])
    assert (found.weight[0, 0], found.bias[0], found.degrees_of_freedom) == (3, -1, 0)
    for array in (found.std_error, found.t, found.p, found.ci_low, found.residual_std_error):
        assert np.isnan(array).all()
    value, low, high = found.predict(np.array([[3.0]]))
    assert value.item() == 8
    assert np.isnan([low, high]).all()


def test_a_perfect_fit_has_no_error() -> None:
    found = fit(gram(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])), ["x"], ["y"])
    assert (found.weight[0, 0], found.bias[0]) == (2, 0)
    assert math.copysign(1, found.bias[0]) == 1
    assert (found.std_error == 0).all()
    assert np.isnan(found.t).all()
    assert np.isnan(found.p).all()
    assert found.ci_low.tolist() == found.ci_high.tolist() == [[2, 0]]
    assert [array.item() for array in found.predict(np.array([[4.0]]))] == [8, 8, 8]


def test_t_p_and_intervals_hold_far_out() -> None:
    """A million degrees of freedom, and a p below the smallest float."""
    x = np.tile(np.arange(1000.0), 1000)
    noise = np.tile([1.0, -1.0, -1.0, 1.0], 250_000)
    found = fit(gram(np.column_stack([x, noise, x + noise])), ["x", "n"], ["y"])
    assert not any(found.squares)
    found = fit(gram(np.column_stack([x, x + noise])), ["x"], ["y"])
    assert found.p[0, 0] == 0
    assert found.t[0, 0] > 1e5
    reach = (found.ci_high - found.ci_low)[0] / 2 / found.std_error[0]
    np.testing.assert_allclose(reach, 1.9599663, rtol=1e-6)


def against_statsmodels(found: Fit, other: sm.regression.linear_model.RegressionResults) -> None:
    """Every figure to 10 digits; statsmodels has the intercept first."""
    order = [*range(1, len(other.params)), 0]
    ours = np.append(found.weight[0], found.bias[0])
    np.testing.assert_allclose(ours, other.params[order], rtol=1e-10)
    np.testing.assert_allclose(found.std_error[0], other.bse[order], rtol=1e-10)
    np.testing.assert_allclose(found.t[0], other.tvalues[order], rtol=1e-10)
    np.testing.assert_allclose(found.p[0], other.pvalues[order], rtol=1e-10)
    np.testing.assert_allclose(found.r2[0], other.rsquared, rtol=1e-10)
    ends = np.stack([found.ci_low[0], found.ci_high[0]], axis=1)
    np.testing.assert_allclose(ends, other.conf_int()[order], rtol=1e-10)
    np.testing.assert_allclose(found.residual_std_error[0], math.sqrt(other.mse_resid), rtol=1e-10)


def test_the_diabetes_set_against_statsmodels() -> None:
    data = load_diabetes(scaled=False)
    found = fit(gram(np.column_stack([data.data, data.target])), data.feature_names, ["y"])
    other = sm.OLS(data.target, sm.add_constant(data.data)).fit()
    against_statsmodels(found, other)
    assert not found.nearly_dependent
    queries = data.data[:5] * 1.1
    value, low, high = found.predict(queries)
    frame = other.get_prediction(sm.add_constant(queries)).summary_frame(alpha=0.05)
    np.testing.assert_allclose(value[:, 0], frame["mean"], rtol=1e-10)
    np.testing.assert_allclose(low[:, 0], frame["obs_ci_lower"], rtol=1e-10)
    np.testing.assert_allclose(high[:, 0], frame["obs_ci_upper"], rtol=1e-10)


def certified(found: float, value: str, digits: int) -> None:
    """Whether NIST's value and ours agree to so many digits, all 15 of its own if it is so many.

    NIST rounds to 15 digits and we to a float, so that the true value may lie between.
    """
    stated = Fraction(value)
    if digits == 15:
        unit = Fraction(10) ** (math.floor(math.log10(abs(stated))) - 14)
        assert abs(Fraction(found) - stated) <= unit / 2 + Fraction(math.ulp(found))
    else:
        assert abs(Fraction(found) - stated) <= abs(stated) / 10**digits


def test_norris_of_nist() -> None:
    """The data have decimals, which float64 rounds: exact arithmetic then has 13 or 14 digits."""
    path = next(Path(scipy.__file__).parent.rglob("Norris.dat"), None)
    assert path is not None, "SciPy no longer ships NIST's file"
    text = path.read_text().splitlines()
    rows = [line.split() for line in text[60:96]]
    y, x = np.array(rows, dtype=float).T
    assert len(x) == 36
    found = fit(gram(np.column_stack([x, y])), ["x"], ["y"])
    certified(found.bias[0], "-0.262323073774029", 14)
    certified(found.weight[0, 0], "1.00211681802045", 14)
    certified(found.std_error[0, 1], "0.232818234301152", 13)
    certified(found.std_error[0, 0], "0.429796848199937E-03", 13)
    certified(found.residual_std_error[0], "0.884796396144373", 13)
    certified(found.r2[0], "0.999993745883712", 14)
    assert not found.nearly_dependent
    # In tenths the data are integers, and so is nothing rounded before it is fitted.
    found = fit(gram(np.round(np.column_stack([x, y]) * 10)), ["x"], ["y"])
    certified(found.bias[0] / 10, "-0.262323073774029", 15)
    certified(found.weight[0, 0], "1.00211681802045", 15)
    certified(found.std_error[0, 1] / 10, "0.232818234301152", 15)
    certified(found.std_error[0, 0], "0.429796848199937E-03", 15)
    certified(found.residual_std_error[0] / 10, "0.884796396144373", 15)
    certified(found.r2[0], "0.999993745883712", 15)


def test_longley_of_nist() -> None:
    data = longley.load_pandas()
    table = np.column_stack([data.exog.to_numpy(float), data.endog.to_numpy(float)])
    found = fit(gram(table), list(data.exog.columns), ["y"])
    assert not found.nearly_dependent
    values = [
        ("15.0618722713733", "84.9149257747669"),
        ("-0.358191792925910E-01", "0.334910077722432E-01"),
        ("-2.02022980381683", "0.488399681651699"),
        ("-1.03322686717359", "0.214274163161675"),
        ("-0.511041056535807E-01", "0.226073200069370"),
        ("1829.15146461355", "455.478499142212"),
        ("-3482258.63459582", "890420.383607373"),
    ]
    ours = np.append(found.weight[0], found.bias[0])
    for value, error, (beta, sd) in zip(ours, found.std_error[0], values, strict=True):
        certified(value, beta, 14)
        certified(error, sd, 14)
    certified(found.residual_std_error[0], "304.854073561965", 14)
    certified(found.r2[0], "0.995479004577296", 15)
    # The first column has decimals: in tenths, nothing is rounded before it is fitted.
    table[:, 0] = np.round(table[:, 0] * 10)
    found = fit(gram(table), list(data.exog.columns), ["y"])
    unit = np.array([10.0, 1, 1, 1, 1, 1, 1])
    ours = np.append(found.weight[0], found.bias[0]) * unit
    for value, error, (beta, sd) in zip(ours, found.std_error[0] * unit, values, strict=True):
        certified(value, beta, 15)
        certified(error, sd, 15)
    certified(found.residual_std_error[0], "304.854073561965", 15)


WAMPLER = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048]


def test_wampler_1_and_4_of_nist() -> None:
    """A polynomial of degree 5: every coefficient is 1, with errors of 0 and of 236,014."""
    x = np.arange(21.0)
    powers = np.stack([x**k for k in range(1, 6)], axis=1)
    y = 1 + powers.sum(axis=1)
    delta = np.array([*WAMPLER, 2048, *WAMPLER[::-1]])
    found = fit(gram(np.column_stack([powers, y, y + 100 * delta])), list("abcde"), ["1", "4"])
    assert (found.weight == 1).all()
    assert (found.bias == 1).all()
    assert (found.std_error[0] == 0).all()
    assert found.r2[0] == 1
    assert not found.nearly_dependent
    certified(found.residual_std_error[1], "236014.502379268", 15)
    certified(found.r2[1], "0.957478440825662", 15)
    errors = [
        "236355.173469681",
        "77934.3524331583",
        "10147.5507550350",
        "564.566512170752",
        "11.2324854679312",
        "215232.624678170",
    ]
    for found_error, error in zip(found.std_error[1], errors, strict=True):
        certified(found_error, error, 15)


def test_noint_1_of_nist() -> None:
    x = np.arange(60.0, 71.0)
    found = fit(gram(np.column_stack([x, x + 70])), ["x"], ["y"], intercept=False)
    certified(found.weight[0, 0], "2.07438016528926", 15)
    certified(found.std_error[0, 0], "0.165289256198347E-01", 15)
    certified(found.residual_std_error[0], "3.56753034006338", 15)
    certified(found.r2[0], "0.999365492298663", 15)
