"""Cross-validation from sums gives what fits on the rows of the folds give."""

import numpy as np
import pytest
from conftest import NUMPY_OFF
from other_machines import printed_on
from penalized_reference import gram_of, names, scikit_learn, table

from pipeline.exact.cross_validation import Scores, cross_validate
from pipeline.exact.gram import Gram
from pipeline.exact.penalties import Penalty
from pipeline.exact.penalty_path import paths


def folds_of(x: np.ndarray, y: np.ndarray, count: int = 4) -> list[Gram]:
    return [gram_of(x[fold::count], y[fold::count]) for fold in range(count)]


@pytest.mark.parametrize(
    "penalty", [Penalty(), Penalty(l2=0.1), Penalty(l1=0.2), Penalty(0.1, 0.1), Penalty(l2=1e-20)]
)
@pytest.mark.parametrize("intercept", [True, False])
def test_errors_are_those_of_fits_on_the_rows(penalty: Penalty, intercept: bool) -> None:
    x, y = table(60, 5)
    if not intercept:
        x = x - x.mean(axis=0) + x.std(axis=0) / 4
    (scores,) = cross_validate(folds_of(x, y), names(x), ["y"], intercept, [[penalty]])
    mse = []
    for fold in range(4):
        test = np.arange(60) % 4 == fold
        deviations = x[~test].std(axis=0)
        if penalty.l1 or penalty.l2 > 1e-9:
            weight = scikit_learn(x[~test], y[~test], penalty, intercept) / deviations
        else:
            ones = np.ones((45, int(intercept)))
            weight = np.linalg.lstsq(np.hstack([x[~test] / deviations, ones]), y[~test])[0][:5]
            weight /= deviations
        bias = (y[~test] - x[~test] @ weight).mean() if intercept else 0.0
        errors = y[test] - x[test] @ weight - bias
        mse.append(np.mean(errors**2))
    np.testing.assert_allclose(scores.mse[0], mse, rtol=1e-9)
    assert scores.mean[0] == pytest.approx(np.mean(mse))
    assert scores.std_error[0] == pytest.approx(np.std(mse, ddof=1) / 2)
    assert scores.gap.tolist() == [0.0]


@pytest.mark.parametrize(("l1", "l2"), [("cv", 0.0), (0.0, "cv"), ("cv", 0.3), (0.02, "cv")])
def test_a_path_gives_the_errors_of_its_penalties(l1: float, l2: float) -> None:
    x, y = table(40, 4)
    targets = np.column_stack([y, np.abs(y)])
    folds = folds_of(x, targets)
    both = paths(gram_of(x, targets), names(x), ["a", "b"], True, l1, l2)
    scores = cross_validate(folds, names(x), ["a", "b"], True, both)
    for place in (0, 3, 40, 99):
        single = cross_validate(folds, names(x), ["a", "b"], True, [[p[place]] for p in both])
        for all_of, one in zip(scores, single, strict=True):
            assert all_of.mse[place].tolist() == one.mse[0].tolist()


def test_the_choice_is_the_best_or_the_largest_within_one_standard_error() -> None:
    penalties = tuple(Penalty(l2=value) for value in (4.0, 3.0, 2.0, 1.0))
    mse = np.array([[9.0, 9.0], [2.0, 4.0], [1.0, 3.0], [1.0, 3.0]])
    scores = Scores(penalties, mse, np.zeros(4))
    assert scores.mean.tolist() == [9, 3, 2, 2]
    assert scores.std_error.tolist() == [0, 1, 1, 1]
    assert (scores.best, scores.one_standard_error) == (2, 1)
    assert (scores.chosen("best"), scores.chosen("one_standard_error")) == (2, 1)


def test_of_pairs_the_l2_stays_and_l1_grows_within_one_standard_error() -> None:
    pairs = tuple(Penalty(l1, l2) for l2 in (1.0, 0.0) for l1 in (3.0, 2.0, 1.0))
    means = np.array([2.5, 9, 9, 9, 3, 2])
    mse = means[:, None] + np.array([-1.0, 1])
    scores = Scores(pairs, mse, np.zeros(6))
    assert (scores.best, scores.one_standard_error) == (5, 4)
    assert scores.path_of_best == [3, 4, 5]


def test_folds_without_rows_are_left_out_and_too_few_are_refused() -> None:
    x, y = table(20, 2)
    folds = folds_of(x, y, 3)
    path = [[Penalty(l2=0.1)]]
    (some,) = cross_validate([*folds, Gram.of_no_rows(3)], names(x), ["y"], True, path)
    (usual,) = cross_validate(folds, names(x), ["y"], True, path)
    assert some.mse.tolist() == usual.mse.tolist()
    with pytest.raises(ValueError, match="1 of 2 folds have rows"):
        cross_validate([folds[0], Gram.of_no_rows(3)], names(x), ["y"], True, path)
    no_rows = Gram.of_no_rows(3)
    with pytest.raises(ValueError, match="no row is left"):
        cross_validate(folds, names(x), ["y"], True, path, training=[*folds[:2], no_rows])


def test_only_earlier_rows_may_train() -> None:
    x, y = table(30, 2)
    parts = [gram_of(x[i : i + 10], y[i : i + 10]) for i in (0, 10, 20)]
    earlier = [parts[0], parts[0] + parts[1]]
    path = [[Penalty(l2=0.1)]]
    (scores,) = cross_validate(parts[1:], names(x), ["y"], True, path, training=earlier)
    weight = scikit_learn(x[:10], y[:10], path[0][0]) / x[:10].std(axis=0)
    errors = y[10:20] - y[:10].mean() - (x[10:20] - x[:10].mean(axis=0)) @ weight
    assert scores.mse[0, 0] == pytest.approx(np.mean(errors**2))


@pytest.mark.parametrize("penalty", [Penalty(), Penalty(l2=0.1), Penalty(l1=0.1), Penalty(0.1, 1)])
def test_folds_with_fewer_rows_than_columns_answer(penalty: Penalty) -> None:
    x, y = table(6, 9)
    x[:, 2], x[:, 3] = 1.0, x[:, 1]  # constant; a copy
    (scores,) = cross_validate(folds_of(x, y, 6), names(x), ["y"], True, [[penalty]])
    assert np.isfinite(scores.mse).all()


def percentages(rows: int) -> np.ndarray:
    """Return three columns that add up to 100 except for rounding: [rows, 3]."""
    shares = np.random.default_rng(1).dirichlet([1.0, 1, 1], rows) * 100
    shares[:, 2] = 100 - shares[:, 0] - shares[:, 1] * (1 + 2.0**-52)
    return shares


@pytest.mark.parametrize("single", [False, True])
def test_nearly_dependent_columns_are_left_out_in_the_folds(single: bool) -> None:
    x = percentages(60)
    if single:
        x = x.astype(np.float32).astype(np.float64)
    roundoff = [2.0**-24] * 3 if single else None
    y = x[:, 0] / 50 + np.random.default_rng(2).normal(size=60)
    path = [[Penalty()]]
    (ours,) = cross_validate(folds_of(x, y), names(x), ["y"], True, path, roundoff)
    (without,) = cross_validate(folds_of(x[:, :2], y), names(x[:, :2]), ["y"], True, path)
    assert ours.mse.tolist() == without.mse.tolist()
    (with_it,) = cross_validate(folds_of(x, y), names(x), ["y"], True, path, [0.0] * 3)
    assert with_it.mean[0] != pytest.approx(ours.mean[0], rel=1e-3), "the column is not exact"


def test_a_perfect_fit_has_no_error() -> None:
    x = np.arange(12.0)[:, None]
    (scores,) = cross_validate(folds_of(x, 2 * x[:, 0] + 1), ["x"], ["y"], True, [[Penalty()]])
    assert scores.mse.tolist() == [[0.0] * 4]
    assert scores.std_error.tolist() == [0.0]


MACHINE = """
import numpy as np
from exact_tables import integers
from pipeline.exact.cross_validation import cross_validate
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalty_path import paths, weights_along

table = integers(60, 7)
table[:, 5] = 2 * table[:, 1]  # many solutions
table[:, 6] = table[:, 0] + table[:, 1] + table[:, 2] * 8 + table[:, 3]
folds = [gram_matrix(table[place::3]) for place in range(3)]
total, names = sum(folds[1:], folds[0]), list("abcdef")
for l1, l2 in (("cv", 0.0), (0.0, "cv"), ("cv", 0.5)):
    path = paths(total, names, ["y"], True, l1, l2)
    (scores,) = cross_validate(folds, names, ["y"], True, path)
    (along,) = weights_along(total, names, ["y"], True, path)
    for array in (scores.mse, scores.std_error, along.weight, along.bias):
        print(*(value.hex() for value in array.ravel().tolist()))
    print(path, scores.best, scores.one_standard_error)
"""


def test_threads_and_instruction_sets_change_no_bit() -> None:
    """The guesses do change with them."""
    machines = (("1", "Prescott", NUMPY_OFF), ("2", "Haswell", ""))
    printed = {printed_on(MACHINE, *machine) for machine in machines}
    assert len(printed) == 1
    assert printed.pop().count(b"0x") > 3000
