"""No guess changes a bit of the lasso; what cannot be proven has a bound of its duality gap."""

import numpy as np
import pytest
from penalized_reference import Floats, gram_of, names, scikit_learn, table

from pipeline.exact import lasso
from pipeline.exact.active_set import coordinate_descent, feature_sign_search
from pipeline.exact.correlations import Correlations
from pipeline.exact.lasso import Lasso
from pipeline.exact.penalties import Penalty, fit
from pipeline.exact.solutions import Solution


def weights(solution: Solution) -> list[str]:
    return [value.hex() for value in solution.rounded(lambda balls: balls)]


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_the_same_bytes_follow_from_any_guess(l2: float, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = table(60, 8)
    correlations = Correlations(gram_of(x, y), 8, (9,), True)
    random = np.random.default_rng(0)
    (usual,) = Lasso(correlations, 9).path([0.1], l2)
    # A search that is wrong: the proof repairs it, or coordinate descent replaces it.
    for guess in (np.zeros(8), np.ones(8), -np.ones(8), *random.normal(size=(5, 8))):
        monkeypatch.setattr(lasso, "feature_sign_search", lambda *_, wrong=guess: wrong)
        (other,) = Lasso(correlations, 9).path([0.1], l2)
        assert other.certificate.proven
        assert (other.columns, weights(other)) == (usual.columns, weights(usual))


def test_the_guess_does_not_choose_where_many_solutions_are_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last column is correlated with the residual as the three that it is made of are."""
    x = ((np.arange(8)[:, None] >> np.arange(3)) % 2 * 2 - 1).astype(np.float64)
    y = x @ np.array([3.0, 2, 1]) + np.arange(8) % 3
    x = np.column_stack([x, x @ np.array([2.0, 2, -1])])
    usual = fit(gram_of(x, y), names(x), ["y"], True, [Penalty(l1=0.05)])
    assert usual.certificates[0].proven
    for guess in np.array([[1.0, 1, 1, 0], [1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]]):
        monkeypatch.setattr(lasso, "feature_sign_search", lambda *_, wrong=guess: wrong)
        other = fit(gram_of(x, y), names(x), ["y"], True, [Penalty(l1=0.05)])
        assert other.weight.tolist() == usual.weight.tolist()


def test_an_active_set_that_cannot_be_proven_has_a_duality_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = table(30, 6)
    gram = gram_of(x, y)
    proven = fit(gram, names(x), ["y"], True, [Penalty(0.1, 0.2)])
    monkeypatch.setattr(lasso, "proven_at_once", lambda *_: [None])
    monkeypatch.setattr(Lasso, "_proven", lambda *_, **__: None)
    bounded = fit(gram, names(x), ["y"], True, [Penalty(0.1, 0.2)])
    (certificate,) = bounded.certificates
    assert not certificate.proven
    assert 0 < certificate.gap < 1e-14
    np.testing.assert_allclose(bounded.weight, proven.weight, rtol=1e-10)

    def early(matrix: Floats, vector: Floats, threshold: float) -> Floats:
        return coordinate_descent(matrix, vector, threshold) * 1.01

    monkeypatch.setattr(lasso, "coordinate_descent", early)
    (certificate,) = fit(gram, names(x), ["y"], True, [Penalty(0.1, 0.2)]).certificates
    bias, weight = y.mean(), fit(gram, names(x), ["y"], True, [Penalty(0.1, 0.2)]).weight[0]
    z = (x - x.mean(axis=0)) / x.std(axis=0)

    def objective(b: Floats) -> float:
        rest = y - bias - z @ b
        return float(rest @ rest / 60 + 0.1 * np.abs(b).sum() + 0.1 * b @ b)

    excess = objective(weight * x.std(axis=0)) - objective(proven.weight[0] * x.std(axis=0))
    share = excess / objective(np.zeros(6))
    assert 0 < share < certificate.gap < 1000 * share


def test_both_searches_end_at_the_solution() -> None:
    x, y = table(100, 7)
    correlations = Correlations(gram_of(x, y), 7, (8,), True)
    matrix, vector = correlations.floats, correlations.target_floats(8)
    np.testing.assert_allclose(matrix, np.corrcoef(x.T), atol=1e-12)
    np.testing.assert_allclose(vector, np.corrcoef(x.T, y)[-1, :-1], atol=1e-12)
    wanted = scikit_learn(x, y, Penalty(l1=0.1 * y.std())) / y.std()
    start = np.array([1.0, -1, 0, 0, 1, 0, -1])
    searched = feature_sign_search(matrix, vector, 0.1, start)
    np.testing.assert_allclose(searched, wanted, atol=1e-12)
    np.testing.assert_allclose(coordinate_descent(matrix, vector, 0.1), wanted, atol=1e-12)


def test_a_singular_matrix_ends_the_search() -> None:
    ones = np.ones((2, 2))
    assert np.isfinite(feature_sign_search(ones, np.ones(2), 0.5, np.ones(2))).all()
    assert coordinate_descent(ones, np.ones(2), 0.5).tolist() == [0.5, 0.0]
