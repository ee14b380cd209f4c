"""The path begins where every weight is 0, and its weights are those of single fits."""

import math

import numpy as np
import pytest
from penalized_reference import gram_of, names, table

from pipeline.exact.penalties import Penalty, fit
from pipeline.exact.penalty_path import LENGTH, paths, weights_along


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_l1_begins_with_the_smallest_value_that_leaves_no_weight(
    intercept: bool, l2: float
) -> None:
    x, y = table(40, 5)
    gram = gram_of(x, y)
    (path,) = paths(gram, names(x), ["y"], intercept, "cv", l2)
    values = [penalty.l1 for penalty in path]
    assert len(values) == LENGTH
    assert all(penalty.l2 == l2 for penalty in path)
    ratios = np.divide(values[:-1], values[1:])
    np.testing.assert_allclose(ratios, 1e4 ** (1 / 99), rtol=1e-12)

    def nonzero(l1: float) -> int:
        return fit(gram, names(x), ["y"], intercept, [Penalty(l1, l2)]).nonzero[0]

    assert (nonzero(values[0]), nonzero(math.nextafter(values[0], 0))) == (0, 1)
    centred = (x - x.mean(axis=0), y - y.mean()) if intercept else (x, y)
    largest = np.abs(centred[0].T @ centred[1] / 40 / x.std(axis=0)).max()
    assert values[0] == pytest.approx(largest)


def test_more_columns_than_rows_have_a_shorter_path() -> None:
    x, y = table(10, 12)
    (path,) = paths(gram_of(x, y), names(x), ["y"], True, "cv", 0.0)
    assert path[0].l1 / path[-1].l1 == pytest.approx(100)


def test_l2_goes_from_a_thousand_to_a_millionth() -> None:
    x, y = table(9, 2)
    first, second = paths(gram_of(x, np.column_stack([y, y])), names(x), "ab", True, 0.1, "cv")
    assert first == second
    assert (len(first), first[0], first[-1]) == (LENGTH, Penalty(0.1, 1e3), Penalty(0.1, 1e-6))
    assert first[33].l2 == pytest.approx(1.0)


def test_of_both_penalties_each_l2_has_the_whole_path_of_l1() -> None:
    x, y = table(30, 4)
    gram = gram_of(x, y)
    (pairs,) = paths(gram, names(x), ["y"], True, "cv", "cv")
    (single,) = paths(gram, names(x), ["y"], True, "cv", 0.0)
    values = list(dict.fromkeys(pair.l2 for pair in pairs))
    np.testing.assert_allclose(values[:-1], np.logspace(0, -4, 9), rtol=1e-15)
    assert values[-1] == 0
    for place, l2 in enumerate(values):
        of_l2 = pairs[place * LENGTH : (place + 1) * LENGTH]
        assert of_l2 == tuple(Penalty(each.l1, l2) for each in single)


def test_a_path_may_be_a_single_penalty() -> None:
    x, y = table(9, 2)
    assert paths(gram_of(x, y), names(x), ["y"], True, 0.1, 0.2) == ((Penalty(0.1, 0.2),),)
    for constant in (gram_of(x, y * 0), gram_of(x * 0, y)):
        (path,) = paths(constant, names(x), ["y"], True, "cv", 0.0)
        assert len(path) == 1
        assert paths(constant, names(x), ["y"], True, "cv", "cv") == (path,)
        assert not fit(constant, names(x), ["y"], True, path).weight.any()


def test_numbers_at_the_ends_of_float64_have_a_path() -> None:
    x, y = table(9, 2)
    for size in (2.0**1018, 2.0**-1060):
        (path,) = paths(gram_of(x, y * size), names(x), ["y"], True, "cv", 0.0)
        values = [penalty.l1 for penalty in path]
        assert values == sorted(set(values), reverse=True)
        assert values[-1] > 0
        assert math.isfinite(values[0])


@pytest.mark.parametrize(("l1", "l2"), [("cv", 0.0), ("cv", 0.1), (0.0, "cv"), (0.1, "cv")])
def test_weights_along_the_path_are_those_of_single_fits(l1: float, l2: float) -> None:
    x, y = table(30, 4)
    gram = gram_of(x, np.column_stack([y, np.abs(y)]))
    both = paths(gram, names(x), ["a", "b"], True, l1, l2)
    along = weights_along(gram, names(x), ["a", "b"], True, both)
    for place in range(0, LENGTH, 9):
        single = fit(gram, names(x), ["a", "b"], True, [path[place] for path in both])
        for target in range(2):
            assert along[target].weight[place].tolist() == single.weight[target].tolist()
            assert along[target].bias[place] == single.bias[target]
            assert np.count_nonzero(along[target].weight[place]) == single.nonzero[target]
