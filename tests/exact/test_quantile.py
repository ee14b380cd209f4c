"""The quantile loss of the line is the smallest one, as linear programs and brute force say.

And of several lines with one loss it is always the same one.
"""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.optimize import linprog

from pipeline.exact import cores, quantile, quantile_vertex
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.huber import Rows
from pipeline.exact.least_squares import Fit, fit

Floats = NDArray[np.float64]


def minimum(
    table: Floats,
    share: Fraction,
    weights: Floats | None = None,
    intercept: bool = True,
    block: int = 29,
) -> Fit:
    names = [f"x{place}" for place in range(table.shape[1] - 1)]
    start = fit(gram_matrix(table, weights=weights), names, ["y"], intercept)

    def blocks() -> Iterator[Rows]:
        for begin in range(0, len(table), block):
            part = slice(begin, begin + block)
            yield table[part], None if weights is None else weights[part]

    with cores.one_blas_thread():
        return quantile.minimum(blocks, share, start)


def loss(table: Floats, line: Sequence[Any], share: Fraction, weights: Floats | None) -> Fraction:
    """Return the loss of weights and bias, exactly."""
    total = Fraction(0)
    times = np.ones(len(table)) if weights is None else weights
    for row, weight in zip(table.tolist(), times.tolist(), strict=True):
        *x, y = map(Fraction, row)
        terms = zip(map(Fraction, line), [*x, Fraction(1)], strict=True)
        error = y - sum((w * a for w, a in terms), Fraction(0))
        total += Fraction(weight) * error * (share if error > 0 else share - 1)
    return total


def of_highs(table: Floats, share: float, weights: Floats) -> float:
    """Return the smallest loss, as a linear program."""
    rows = len(table)
    x = np.column_stack([table[:, :-1], np.ones(rows)])
    costs = np.concatenate([np.zeros(x.shape[1]), share * weights, (1 - share) * weights])
    found = linprog(
        costs,
        A_eq=np.hstack([x, np.eye(rows), -np.eye(rows)]),
        b_eq=table[:, -1],
        bounds=[(None, None)] * x.shape[1] + [(0, None)] * (2 * rows),
    )
    return float(found.fun)


def shipped(name: str) -> Floats:
    data = getattr(sm.datasets, name).load_pandas()
    x = data.exog.select_dtypes("number").to_numpy(np.float64)
    return np.column_stack([x, data.endog.to_numpy(np.float64)])[:600]


@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("name", ["stackloss", "engel", "ccard", "scotland", "fair"])
def test_no_loss_is_smaller_than_that_of_a_linear_program(name: str, share: Fraction) -> None:
    """Many rows of fair, all integers, lie on one line; scotland is ill-conditioned."""
    table = shipped(name)
    for weights in (np.ones(len(table)), np.random.default_rng(0).uniform(0.2, 5, len(table))):
        found = minimum(table, share, weights)
        ours = loss(table, [*found.weight[0], *found.bias], share, weights)
        theirs = of_highs(table, float(share), weights)
        assert float(ours) == pytest.approx(theirs, rel=1e-9)
        assert float(ours) <= theirs * (1 + 1e-10)


@pytest.mark.parametrize("seed", range(30))
def test_brute_force_on_small_integers(seed: int) -> None:
    """Of all lines through as many rows as coefficients: the smallest loss, answers, weights."""
    random = np.random.default_rng(seed)
    rows, width = int(random.integers(4, 9)), int(random.integers(1, 3))
    table = random.integers(-2, 3, (rows, width + 1)).astype(np.float64)
    weights = random.integers(1, 3, rows).astype(np.float64) if seed % 2 else None
    share = Fraction(int(random.integers(1, 10)), 10)
    design = np.column_stack([table[:, :-1], np.ones(rows)])
    if np.linalg.matrix_rank(design) <= width:
        pytest.skip("the columns depend on each other")
    best = None
    for chosen in itertools.combinations(range(rows), width + 1):
        some = table[list(chosen)]
        if abs(np.linalg.det(design[list(chosen)])) < 0.5:
            continue
        line = quantile_vertex.Rows(
            np.column_stack([design[list(chosen)], some[:, -1]]),
            *(None, Fraction(1, 2), [Fraction(0)] * (width + 1), [Fraction(0)] * (width + 1)),
        ).minimum(range(width + 1))
        times = np.ones(rows) if weights is None else weights
        totals = map(Fraction, (times @ design).tolist())
        answers = sum((a * b for a, b in zip(totals, line.coefficients, strict=True)), Fraction(0))
        exact = [*line.coefficients]
        key = (loss(table, exact, share, weights), answers, exact)
        best = key if best is None or key < best else best
    assert best is not None
    found = minimum(table, share, weights, block=3)
    assert [*found.weight[0], *found.bias] == [float(each) for each in best[2]]


@pytest.mark.parametrize("share", [Fraction(1, 2), Fraction(1, 20)])
def test_rows_outside_of_memory_in_any_order_and_as_frequencies(
    monkeypatch: pytest.MonkeyPatch, share: Fraction
) -> None:
    """Few rows in memory, many rows on one line, several best lines: always the same one."""
    monkeypatch.setattr(quantile, "FEWEST_NEAR", 8)
    monkeypatch.setattr(quantile, "NEAR_FOR_A_COLUMN", 1)
    random = np.random.default_rng(1)
    table = random.integers(-3, 4, (200, 4)).astype(np.float64)
    times = random.integers(1, 4, 200)
    weighted = minimum(table, share, times.astype(np.float64))
    repeated = np.repeat(table, times, axis=0)
    for other in (repeated, random.permutation(repeated), repeated[::-1]):
        for block in (7, 1000):
            found = minimum(other, share, block=block)
            assert found.weight.tolist() == weighted.weight.tolist()
            assert found.bias.tolist() == weighted.bias.tolist()


def test_the_lower_of_two_medians_and_a_line_without_intercept() -> None:
    y = np.array([1.0, 2.0, 4.0, 9.0])
    assert minimum(y[:, None], Fraction(1, 2)).bias.tolist() == [2]
    table = np.column_stack([[1.0, 2, 3], [2.0, 4, 100]])
    found = minimum(table, Fraction(1, 2), intercept=False)
    assert (found.weight.tolist(), found.bias.tolist()) == ([[2]], [0])


def test_steps_that_come_to_no_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantile_vertex, "MOST_STEPS", 1)
    with pytest.raises(quantile.NotConvergedError):
        minimum(shipped("engel"), Fraction(1, 2))
