"""Penalized fits are correctly rounded, whatever guessed them, and agree with scikit-learn."""

from fractions import Fraction

import numpy as np
import pytest
from exact_reference import dot, eliminated, exact_columns, nearest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from penalized_reference import gram_of, names, scikit_learn, table
from sklearn.linear_model import ElasticNetCV

from pipeline.exact.least_squares import fit as least_squares
from pipeline.exact.penalties import Penalty, fit
from pipeline.exact.squared_error import squared_error

small = st.integers(-4, 4).map(float)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(
    "penalty", [Penalty(l2=0.3), Penalty(l2=1e-6), Penalty(l1=0.2), Penalty(0.05, 0.4)]
)
def test_weights_are_those_of_scikit_learn(penalty: Penalty, intercept: bool) -> None:
    x, y = table(200, 9)
    if not intercept:  # without the means, which coordinate descent would need hours for
        x = x - x.mean(axis=0) + x.std(axis=0) / 4
    ours = fit(gram_of(x, y), names(x), ["y"], intercept, [penalty])
    wanted = scikit_learn(x, y, penalty, intercept)
    np.testing.assert_allclose(ours.weight[0] * x.std(axis=0), wanted, rtol=1e-10, atol=1e-11)
    assert ours.nonzero[0] == np.count_nonzero(wanted)
    assert ours.certificates[0].proven
    middle = (y - x @ ours.weight[0]).mean() if intercept else 0.0
    assert ours.bias[0] == pytest.approx(middle, rel=1e-9)
    residuals = y - x @ ours.weight[0] - ours.bias[0]
    assert float(ours.squares[0]) == pytest.approx(residuals @ residuals)


def test_what_elastic_net_cv_chooses_has_its_weights() -> None:
    x, y = table(120, 6)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    chosen = ElasticNetCV(l1_ratio=[0.3, 0.7], alphas=20, cv=4, tol=1e-14, max_iter=10**6).fit(z, y)
    l1 = chosen.alpha_ * chosen.l1_ratio_
    ours = fit(gram_of(x, y), names(x), ["y"], True, [Penalty(l1, chosen.alpha_ - l1)])
    np.testing.assert_allclose(ours.weight[0] * x.std(axis=0), chosen.coef_, rtol=1e-8)


@given(
    st.lists(st.lists(small, min_size=4, max_size=4), min_size=1, max_size=6),
    st.sampled_from([0.1, 1.0, 2.0**-40, 1e6]),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_ridge_is_the_exact_solution_rounded(
    rows: list[list[float]], l2: float, intercept: bool
) -> None:
    data = np.array(rows)
    ours = fit(
        gram_of(data[:, :3], data[:, 3]), ["a", "b", "c"], ["y"], intercept, [Penalty(0, l2)]
    )
    _, *x, y = exact_columns(data)
    means = [sum(column, Fraction(0)) / len(rows) for column in (*x, y)]
    around = [[v - m for v in c] for c, m in zip((*x, y), means, strict=True)]
    variation = [dot(column, column) for column in around[:3]]
    kept = [j for j in range(3) if variation[j]]
    columns, target = (around[:3], around[3]) if intercept else (x, y)
    matrix = [
        [dot(columns[i], columns[j]) + (i == j) * Fraction(l2) * variation[i] for j in kept]
        + [dot(columns[i], target)]
        for i in kept
    ]
    weights = dict(zip(kept, eliminated(matrix), strict=True))
    assert ours.weight[0].tolist() == [nearest(weights.get(j, Fraction(0))) for j in range(3)]
    bias = means[3] - sum((w * means[j] for j, w in weights.items()), Fraction(0))
    assert ours.bias[0] == (nearest(bias) if intercept else 0)
    assert ours.dropped == {"abc"[j] for j in range(3) if j not in kept}
    fitted = [
        sum((w * x[j][i] for j, w in weights.items()), bias if intercept else Fraction(0))
        for i in range(len(rows))
    ]
    errors = [a - b for a, b in zip(y, fitted, strict=True)]
    assert float(ours.squares[0]) == pytest.approx(float(dot(errors, errors)), rel=1e-15)


@given(
    st.lists(st.lists(small, min_size=4, max_size=4), min_size=2, max_size=7),
    st.sampled_from([0.1, 0.5, 2.0]),
    st.sampled_from([0.0, 0.25]),
    st.booleans(),
)
@example([[-2.0, -1.0, 2.0, 1.0], [-3.0, 0.0, -2.0, -1.0]], 0.5, 0.0, False)  # last bits in circles
@example([[-4.0, -2.0, 3.0, -2.0], [3.0, -3.0, 0.0, 3.0]], 2.0, 0.0, False)
@settings(deadline=None, max_examples=80)
def test_the_lasso_meets_the_optimality_conditions(
    rows: list[list[float]], l1: float, l2: float, intercept: bool
) -> None:
    """Also for duplicates, dependent and constant columns, and for more columns than rows."""
    data = np.array(rows)
    x, y = data[:, :3], data[:, 3]
    ours = fit(gram_of(x, y), ["a", "b", "c"], ["y"], intercept, [Penalty(l1, l2)])
    assert ours.certificates[0].proven
    deviations, weight = x.std(axis=0), ours.weight[0]
    residual = y - x @ weight - ours.bias[0]
    if intercept:
        assert residual.mean() == pytest.approx(0, abs=1e-12)
        x = x - x.mean(axis=0)
    for column, size, w in zip(x.T, deviations, weight, strict=True):
        if not size:
            assert w == 0
            continue
        slope = column @ residual / len(y) / size - l2 * w * size
        assert slope == pytest.approx(np.sign(w) * l1, abs=1e-12) if w else abs(slope) < l1 + 1e-12


@pytest.mark.parametrize("rows", [8, 30])
def test_many_columns_have_a_proven_lasso(rows: int) -> None:
    x, y = table(rows, 40)
    for penalty in (Penalty(l1=0.3), Penalty(l1=0.01), Penalty(l2=1e-3), Penalty(0.1, 0.1)):
        ours = fit(gram_of(x, y), names(x), ["y"], True, [penalty])
        wanted = scikit_learn(x, y, penalty)
        assert ours.certificates[0].proven
        np.testing.assert_allclose(ours.weight[0] * x.std(axis=0), wanted, rtol=1e-6, atol=1e-8)


def test_of_two_copies_the_lasso_takes_the_first_and_the_elastic_net_both() -> None:
    x, y = table(50, 3)
    twice = np.column_stack([x, 2 * x[:, 1]])
    single = fit(gram_of(x, y), names(x), ["y"], True, [Penalty(l1=0.1)])
    lasso = fit(gram_of(twice, y), names(twice), ["y"], True, [Penalty(l1=0.1)])
    assert lasso.weight[0].tolist() == [*single.weight[0].tolist(), 0.0]
    assert lasso.certificates[0].proven
    both = fit(gram_of(twice, y), names(twice), ["y"], True, [Penalty(0.1, 0.1)]).weight[0]
    assert both[3] == both[1] / 2 != 0


def test_a_penalty_above_all_correlations_leaves_the_mean() -> None:
    x, y = table(20, 3)
    ours = fit(gram_of(x, y), names(x), ["y"], True, [Penalty(l1=1e3)])
    assert ours.nonzero == (0,)
    assert ours.bias[0] == gram_of(x, y).means()[3]


def test_no_penalty_is_least_squares_and_a_tiny_one_is_near_to_it() -> None:
    x, y = table(30, 4)
    x = np.column_stack([x, 4 * x[:, 0], np.ones(30)])
    gram, plain = gram_of(x, y), least_squares(gram_of(x, y), names(x), ["y"])
    ours = fit(gram, names(x), ["y"], True, [Penalty()])
    assert ours.weight.tolist() == plain.weight.tolist()
    assert ours.bias.tolist() == plain.bias.tolist()
    assert ours.dropped == plain.dropped == {"x4", "x5"}
    gram = gram_of(x[:, :4], y)
    for penalty in (Penalty(l2=5e-324), Penalty(l1=1e-300), Penalty(1e-300, 1e-300)):
        tiny = fit(gram, names(x)[:4], ["y"], True, [penalty])
        assert tiny.weight[0].tolist() == plain.weight[0, :4].tolist()


@pytest.mark.parametrize("penalty", [Penalty(l2=0.5), Penalty(l1=0.25), Penalty(0.25, 0.5)])
@pytest.mark.parametrize("size", [2.0**-520, 2.0**-30, 2.0**500])
def test_units_change_the_weights_by_their_ratio_alone(penalty: Penalty, size: float) -> None:
    x, y = table(25, 3)
    usual = fit(gram_of(x, y), names(x), ["y"], True, [penalty])
    other = fit(gram_of(x * size, y), names(x), ["y"], True, [penalty])
    assert (other.weight * size).tolist() == usual.weight.tolist()
    scaled = Penalty(penalty.l1 * size, penalty.l2)
    larger = fit(gram_of(x, y * size), names(x), ["y"], True, [scaled])
    assert (larger.weight / size).tolist() == usual.weight.tolist()


@pytest.mark.parametrize("penalty", [Penalty(l2=0.5), Penalty(l1=0.25), Penalty()])
def test_tables_without_anything_to_fit_answer(penalty: Penalty) -> None:
    for x, y in (
        (np.ones((4, 2)), np.arange(4.0)),
        (np.arange(8.0).reshape(4, 2), np.full(4, 2.0)),
        (np.empty((3, 0)), np.arange(3.0)),
        (np.array([[1.0, 2.0]]), np.array([3.0])),
    ):
        ours = fit(gram_of(x, y), names(x), ["y"], True, [penalty])
        assert not ours.weight.any()
        assert ours.bias.tolist() == [y.mean()]
        assert not fit(gram_of(x, y * 0), names(x), ["y"], False, [penalty]).weight.any()
    with pytest.raises(ValueError, match="no rows"):
        fit(gram_of(np.empty((0, 1)), np.empty(0)), ["x"], ["y"], True, [penalty])


def test_each_target_has_its_own_penalty() -> None:
    x, y = table(40, 3)
    targets = np.column_stack([y, y**2])
    penalties = [Penalty(l2=0.1), Penalty(l1=0.2)]
    both = fit(gram_of(x, targets), names(x), ["a", "b"], True, penalties)
    for place, penalty in enumerate(penalties):
        alone = fit(gram_of(x, targets[:, place]), names(x), ["y"], True, [penalty])
        assert both.weight[place].tolist() == alone.weight[0].tolist()
        assert both.bias[place] == alone.bias[0]
        assert both.squares[place] == alone.squares[0]


@given(st.sampled_from(["float32", "float64"]), st.sampled_from([0.0, 0.1]), st.integers(0, 9))
@settings(deadline=None, max_examples=20)
def test_what_ships_is_rounded_once(dtype: str, l1: float, seed: int) -> None:
    x, y = table(15, 3, seed)
    ours = fit(gram_of(x, y), names(x), ["y"], True, [Penalty(l1, 0.2)])
    centre = np.array([0.5, -3.0, 1e4])
    weight, bias = ours.shipped(dtype, centre)
    assert weight.dtype == bias.dtype == dtype
    assert weight.tolist() == ours.weight.astype(dtype).tolist()
    exact = Fraction(ours.bias[0]) + dot(
        list(map(Fraction, ours.weight[0].tolist())), list(map(Fraction, centre.tolist()))
    )
    assert bias[0] == pytest.approx(float(exact), rel=1e-6 if dtype == "float32" else 1e-13)
    assume(dtype == "float64")
    plain = ours.shipped(dtype)
    assert [a.tolist() for a in plain] == [ours.weight.tolist(), ours.bias.tolist()]
    errors = squared_error(gram_of(x, y), *plain)
    assert float(errors[0]) == pytest.approx(float(ours.squares[0]), rel=1e-12)


@pytest.mark.parametrize("penalty", [Penalty(l1=1e-310), Penalty(l2=1e-310), Penalty(1e-310, 0.1)])
def test_columns_that_are_nearly_the_same_get_more_bits(penalty: Penalty) -> None:
    """The correlation of these two differs from 1 by 1e-600: at 128 bits they are dependent."""
    x = np.array([[1e150, 1e150], [-1e150, -1e150], [1e-150, 0], [0, 1e-150], [0, 0]])
    y = np.array([1.0, -1, 1, -1, 0])
    ours = fit(gram_of(x, y), ["a", "b"], ["y"], True, [penalty])
    assert ours.certificates[0].proven
    assert np.isfinite(ours.weight).all()
    assert ours.weight[0, 0] != 0
    if not penalty.l2:
        assert ours.weight[0, 1] != 0
