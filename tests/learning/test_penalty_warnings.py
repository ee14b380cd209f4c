"""Penalties that leave nothing, change nothing or meet constant columns are told."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalties import Penalty, fit
from pipeline.learning import penalty_warnings

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 2))
Y = X[:, :1] * 2 + RANDOM.normal(size=(40, 1))


def told(
    penalty: Penalty,
    x: NDArray[np.float64] = X,
    y: NDArray[np.float64] = Y,
    intercept: bool = True,
) -> list[str]:
    """Return the warnings of a fit to columns called a, b and so on."""
    solution = fit(gram_matrix(x, y), [*"abcdefgh"[: x.shape[1]]], ["y"], intercept, [penalty])
    return list(penalty_warnings.of_fit(solution))


def test_a_usual_penalty_is_no_trouble() -> None:
    for penalty in (Penalty(l1=0.1), Penalty(l2=0.1), Penalty(0.1, 0.1), Penalty(l2=1e-9)):
        assert told(penalty) == []


def test_an_l1_that_leaves_no_weight_names_where_that_begins() -> None:
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    largest = np.abs(z.T @ (Y - Y.mean())).max() / len(Y)
    assert told(Penalty(l1=50.0)) == [
        f"y: train.l1 50 is so large that every weight is 0, as from {largest:.6g} on: the model"
        " answers the mean, whatever the row; give a smaller number, or cv"
    ]
    (sentence,) = told(Penalty(l1=1e30), intercept=False)
    assert "the model answers 0" in sentence
    (sentence,) = told(Penalty(l1=0.1), y=np.full((40, 1), 3.0))
    assert sentence == "y: no column goes with it, so every weight is 0: the model answers the mean"


def test_a_huge_l2_is_told() -> None:
    assert told(Penalty(l2=1000.0)) == []
    assert told(Penalty(l2=1e30)) == [
        "y: train.l2 1e+30 leaves next to nothing of every weight: the model answers about the"
        " mean, whatever the row; give a number below 1,000, or cv"
    ]


@pytest.mark.parametrize("size", [1.0, 1e150])
def test_a_penalty_below_rounding_is_told(size: float) -> None:
    end = (
        "the weights are those of least squares without a penalty, to the last bit; give a larger"
        " number, or cv"
    )
    for penalty, shown in (
        (Penalty(l1=1e-300), "train.l1 1e-300"),
        (Penalty(l2=1e-300), "train.l2 1e-300"),
        (Penalty(1e-300, 1e-300), "train.l1 1e-300 and train.l2 1e-300"),
    ):
        assert told(penalty, y=Y * size) == [f"y: with {shown} {end}"]
    # Of columns that depend on each other, even the smallest penalty chooses the weights.
    assert told(Penalty(l2=1e-300), np.hstack([X, X[:, :1]])) == []


def test_constant_columns_are_named() -> None:
    x = np.hstack([X, np.full((40, 1), 7.0), np.zeros((40, 1))])
    for penalty in (Penalty(l1=0.1), Penalty(l2=0.1)):
        assert told(penalty, x) == [
            "c is 7 in every row: its weight is 0",
            "d is zero in every row: its weight is 0",
        ]


def test_more_columns_than_rows_have_one_ridge_and_perhaps_many_lassos() -> None:
    assert told(Penalty(l2=0.1), X[:2].repeat(3, axis=1), Y[:2]) == []
    x = RANDOM.normal(size=(4, 8))
    (sentence,) = told(Penalty(l1=1e-300), x, Y[:4])
    assert sentence.startswith("y: columns depend on each other, so other weights may do as well")
