"""Least squares is right to the last bit, for any numbers, in any order, on any machine."""

import hashlib
import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import NUMPY_OFF
from exact_reference import Rows, dot, exact_columns, nearest, number, solved, tables
from exact_tables import figures, integers, noisy, residual_std_error
from hypothesis import given, settings
from hypothesis import strategies as st
from other_machines import printed_on

from pipeline.exact import condition, cores, student
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit


@given(tables(st.one_of(st.floats(-1e9, 1e9), st.integers(-3, 3).map(float)), 4, 9), st.booleans())
@settings(deadline=None, max_examples=150)
def test_the_solution_is_the_exact_one_rounded(rows: Rows, intercept: bool) -> None:
    table = np.array(rows)
    solution = fit(gram_matrix(table), ["a", "b", "c"], ["y"], intercept)
    columns = exact_columns(table)
    x, y = columns[:4] if intercept else columns[1:4], columns[4]
    expected = solved(x, y)
    assert solution.rank == len(expected)
    ours = [solution.bias[0], *solution.weight[0]] if intercept else [*solution.weight[0]]
    assert ours == [nearest(expected.get(place, Fraction(0))) for place in range(len(x))]
    errors = [
        b - sum((expected[k] * x[k][i] for k in expected), Fraction(0)) for i, b in enumerate(y)
    ]
    squares = dot(errors, errors)
    assert solution.squares == (squares,)
    middle = sum(y, Fraction(0)) / len(y) if intercept else Fraction(0)
    variation = dot([b - middle for b in y], [b - middle for b in y])
    if variation:
        assert solution.r2[0] == nearest(1 - squares / variation)
    else:
        assert math.isnan(solution.r2[0])


@given(tables(number, 2, 6))
@settings(deadline=None, max_examples=60)
def test_any_numbers_have_a_solution(rows: Rows) -> None:
    """1e308 beside subnormals: slower if need be, never wrong."""
    table = np.array(rows)
    solution = fit(gram_matrix(table), ["x"], ["y"])
    columns = exact_columns(table)
    expected = solved(columns[:2], columns[2])
    ours = [solution.bias[0], solution.weight[0, 0]]
    assert ours == [nearest(expected.get(place, Fraction(0))) for place in range(2)]


@given(tables(st.floats(-1e6, 1e6, width=32), 3, 8), st.sampled_from(["float32", "float64"]))
@settings(deadline=None, max_examples=80)
def test_what_ships_is_rounded_once(rows: Rows, dtype: str) -> None:
    table = np.array(rows)
    centre = np.array([1.5, -1e3])
    solution = fit(gram_matrix(table), ["a", "b"], ["y"])
    columns = exact_columns(table)
    expected = solved(columns[:3], columns[3])
    exact = [expected.get(place, Fraction(0)) for place in range(3)]
    for middle in (None, centre):
        weight, bias = solution.shipped(dtype, middle)
        at = [Fraction(value) for value in (centre.tolist() if middle is not None else [0, 0])]
        wanted = [*exact[1:], exact[0] + dot(exact[1:], at)]
        for shipped, value in zip([*weight[0], *bias], wanted, strict=True):
            assert is_nearest(shipped, value)


def is_nearest(shipped: np.floating, value: Fraction) -> bool:
    """Return True if no neighbour of `shipped` is nearer to `value`."""
    if not np.isfinite(shipped):
        return abs(value) > Fraction(float(np.finfo(shipped.dtype).max))
    apart = abs(Fraction(float(shipped)) - value)
    beside = [np.nextafter(shipped, shipped.dtype.type(way)) for way in (-np.inf, np.inf)]
    return all(apart <= abs(Fraction(float(b)) - value) for b in beside if np.isfinite(b))


def test_figures_are_the_ones_that_they_were() -> None:
    """A change of the method must not move a bit of what was published."""
    tables = [integers(3), integers(20, 8), integers(9_000)]
    fits = [
        fit(gram_matrix(table), [f"x{i}" for i in range(table.shape[1] - 1)], ["y"], intercept)
        for table in tables
        for intercept in (True, False)
    ]
    text = "\n".join(itertools.chain(*map(figures, fits)))
    assert hashlib.md5(text.encode()).hexdigest() == "0fe8423f3cf76cfb444af9ba0124b607"


def test_figures_are_computed_when_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """p-values, quantiles and the condition number of many columns take most of the time."""
    computed: list[str] = []

    def noted(module: Any, name: str) -> None:
        compute = getattr(module, name)

        def noting(*given: Any) -> Any:
            computed.append(name)
            return compute(*given)

        monkeypatch.setattr(module, name, noting)

    noted(student, "p_value")
    noted(condition.UnitLength, "of")
    reference = fit(gram_matrix(noisy(200)), list("abcd"), ["y"])
    assert (reference.rank, reference.dependent) == (5, ())
    reference.shipped("float32")
    assert reference.weight.shape == (1, 4)
    assert computed == []
    for _ in range(2):
        assert reference.condition_number > 1
    assert not reference.nearly_dependent
    assert computed == ["of"]
    before = len(computed)
    assert np.isfinite(reference.p).all()
    assert len(computed) > before
    before = len(computed)
    assert np.isfinite(reference.p).all()
    assert len(computed) == before


def test_order_blocks_shards_and_layout_change_no_bit() -> None:
    table = noisy(9_000)
    names, answer = list("abcd"), ["y"]
    whole = figures(fit(gram_matrix(table), names, answer))
    order = np.random.default_rng(1).permutation(len(table))
    assert figures(fit(gram_matrix(table[order]), names, answer)) == whole
    assert figures(fit(gram_matrix(np.asfortranarray(table)), names, answer)) == whole
    assert (
        figures(fit(gram_matrix(np.asfortranarray(table[:, :1]), table[:, 1:]), names, answer))
        == whole
    )
    for block in (3, 1000):  # 3,000 blocks are more than one int64 takes
        assert figures(fit(gram_matrix(table, piece=block), names, answer)) == whole
    parts = [gram_matrix(part) for part in np.array_split(table, 7)]
    total = parts[0]
    for part in parts[1:]:
        total += part
    assert figures(fit(total, names, answer)) == whole
    single = noisy(5_000, dtype="float32")
    assert figures(fit(gram_matrix(single), names, answer)) == figures(
        fit(gram_matrix(single.astype(np.float64)), names, answer)
    )


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    table = noisy(9_000)
    whole = figures(fit(gram_matrix(table, piece=4_096), list("abcd"), ["y"]))
    for threads in (1, 3):
        monkeypatch.setattr(cores, "available", lambda threads=threads: threads)
        assert figures(fit(gram_matrix(table, piece=50), list("abcd"), ["y"])) == whole


MACHINE = """
from exact_tables import figures, noisy
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit

for rows in (200, 9000):
    print(figures(fit(gram_matrix(noisy(rows)), list("abcd"), ["y"])))
"""


def test_threads_and_instruction_sets_change_no_bit() -> None:
    machines = [
        *itertools.product("12", ["Prescott", "Haswell"], ["", NUMPY_OFF]),
        ("2", "SkylakeX", "AVX512F AVX512_SKX"),
    ]
    with ThreadPoolExecutor(2) as pool:
        printed = set(pool.map(lambda machine: printed_on(MACHINE, *machine), machines))
    assert len(printed) == 1
    assert printed.pop().count(b"0x") > 50


def test_without_degrees_of_freedom_there_are_no_errors() -> None:
    table = np.array([[1.0, 2.0], [2.0, 5.0]])
    solution = fit(gram_matrix(table), ["x"], ["y"])
    assert (solution.weight[0, 0], solution.bias[0], solution.degrees_of_freedom) == (3, -1, 0)
    for array in (
        solution.std_error,
        solution.t,
        solution.p,
        solution.ci_low,
        residual_std_error(solution),
    ):
        assert np.isnan(array).all()
    value, low, high = solution.predict(np.array([[3.0]]))
    assert value.item() == 8
    assert np.isnan([low, high]).all()


def test_a_perfect_fit_has_no_error() -> None:
    solution = fit(gram_matrix(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])), ["x"], ["y"])
    assert (solution.weight[0, 0], solution.bias[0]) == (2, 0)
    assert math.copysign(1, solution.bias[0]) == 1
    assert (solution.std_error == 0).all()
    assert np.isnan(solution.t).all()
    assert np.isnan(solution.p).all()
    assert solution.ci_low.tolist() == solution.ci_high.tolist() == [[2, 0]]
    assert [array.item() for array in solution.predict(np.array([[4.0]]))] == [8, 8, 8]
