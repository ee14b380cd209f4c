"""The figures in the reports are right, to the last digit that is shown."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from plotted import measured
from sums import part_of

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.exact.penalties import Penalty
from pipeline.learning.line import Line
from pipeline.learning.loss_function import LossFunction
from pipeline.measures import metrics
from pipeline.measures.model_errors import Errors
from pipeline.measures.split import Split
from pipeline.settings.errors import UserError
from pipeline.settings.keys.train_settings import loss_kind


def split(actual: NDArray[np.float64], predicted: NDArray[np.float64]) -> Split:
    """Return rows with these predictions, which are their features."""
    return measured(np.hstack([predicted, actual]), actual.shape[1], lambda x: x)


def test_metrics_against_exact_fractions() -> None:
    random = np.random.default_rng(0)
    actual = random.normal(size=(50, 2)) * [1, 1000]
    predicted = actual + random.normal(size=(50, 2))
    rows = split(actual, predicted)
    figures = metrics.of_model(rows, None, "sum")
    errors = [Fraction(float(error)) for error in (actual - predicted).ravel()]
    total = sum(error**2 for error in errors)
    centred = 0.0
    for column in actual.T:
        mean = sum(map(Fraction, column.tolist())) / len(column)
        centred += float(sum((Fraction(value) - mean) ** 2 for value in column.tolist()))
    assert figures["loss"] == pytest.approx(float(total), rel=1e-15)
    assert figures["mse"] == pytest.approx(float(total / 100), rel=1e-15)
    assert figures["rmse"] == pytest.approx(float(total / 100) ** 0.5, rel=1e-15)
    assert figures["mae"] == pytest.approx(float(sum(map(abs, errors)) / 100), rel=1e-15)
    assert figures["r2"] == pytest.approx(1 - float(total) / centred, rel=1e-14)
    assert metrics.of_model(rows, None, "mean")["loss"] == figures["mse"]


def test_metrics_of_one_row_that_is_met() -> None:
    one = np.array([[3.0]])
    figures = metrics.of_model(split(one, one), None, "sum")
    assert figures == {"loss": 0, "mse": 0, "rmse": 0, "mae": 0, "r2": None}


def test_squared_errors_beyond_float64_are_one_message() -> None:
    line = Line(np.zeros((1, 1)), np.zeros(1), np.zeros(1))
    table = np.array([[1.0, 1e200]])
    none = Errors.of_no_rows(2, 1, with_squares=False)
    rows = Split.of(part_of(table), none.with_later(table, line.predict, 0), table, line.predict)
    told = r"beyond what float64 holds; scale the targets"
    with pytest.raises(UserError, match=told):
        metrics.of_model(rows, line, "sum")
    with pytest.raises(UserError, match=told):  # the squares are of the rows
        measured(table, 1, line.predict)
    with pytest.raises(UserError, match=told):
        none.with_later(table, lambda x: x * np.nan, 0)
    large = measured(np.array([[0.0, 1.2e154]] * 2), 1, lambda x: x)  # each square is a float64
    with pytest.raises(UserError, match=told):
        metrics.of_model(large, None, "mean")


def test_the_gap_keeps_its_digits_and_its_sign() -> None:
    """The rounded losses of a model and of the best line may be the same number."""
    table = np.array([[1.0, 1e8], [2.0, -1e8], [4.0, 1e8]])
    reference = fit(gram_matrix(table), ("x",), ("y",))
    best = Line(reference.weight, reference.bias, np.zeros(1))
    beside = Line(best.weight, best.bias + 1e-4, np.zeros(1))
    rows = measured(table, 1, beside.predict)
    figures = metrics.of_reference(rows, None, beside, reference, "sum")
    assert metrics.of_model(rows, beside, "sum")["loss"] == figures["loss"]
    assert figures["gap"] == pytest.approx(3e-8, rel=1e-3)  # 3 rows · (1e-4)²
    assert "test" not in figures
    met = measured(table, 1, lambda _: table[:, 1:])  # a module that knows the rows by heart
    figures = metrics.of_reference(met, met, None, reference, "sum")
    assert figures["gap"] == -figures["loss"]
    assert figures["test"]["loss"] == figures["loss"]


def test_another_loss_is_reported_on_its_own_terms() -> None:
    """rmse, mae and R² stay what they are; no gap to least squares, which has another loss."""
    random = np.random.default_rng(0)
    table = random.normal(size=(30, 2))
    reference = fit(gram_matrix(table), ("x",), ("y",))
    loss = LossFunction(loss_kind("quantile:0.8"))
    none = Errors.of_no_rows(2, 1, with_squares=True, loss_function=loss)
    parts = [none.with_later(each, lambda x: x, 0) for each in (table[:11], table[11:])]
    rows = Split.of(part_of(table), parts[1] + parts[0], table, lambda x: x)
    errors = table[:, 1] - table[:, 0]
    total = np.where(errors > 0, 0.8 * errors, -0.2 * errors).sum()
    figures = metrics.of_model(rows, None, "sum")
    assert figures["loss"] == pytest.approx(total, rel=1e-14)
    assert metrics.of_model(rows, None, "mean")["loss"] == pytest.approx(total / 30, rel=1e-14)
    assert figures["below"] == np.count_nonzero(errors <= 0) / 30
    on_the_line = Errors.of_no_rows(2, 1, with_squares=True, loss_function=loss)
    on_the_line += none.with_later(table, lambda _: table[:, 1:], 0)
    tied = metrics.of_model(Split.of(part_of(table), on_the_line, table, lambda x: x), None, "sum")
    assert (tied["strictly_below"], tied["below"]) == (0, 1)
    plain = metrics.of_model(measured(table, 1, lambda x: x), None, "sum")
    assert {name: figures[name] for name in ("mse", "rmse", "mae", "r2")} == {
        name: plain[name] for name in ("mse", "rmse", "mae", "r2")
    }
    beside = metrics.of_reference(rows, rows, None, reference, "sum")
    assert not {"loss", "gap"} & beside.keys()
    assert "loss" not in beside["test"]
    assert beside["rmse"] > 0


def test_the_penalties_are_in_the_metrics_if_there_are_any() -> None:
    assert metrics.of_penalties([Penalty(), Penalty()], ["y", "z"]) == {}
    assert metrics.of_penalties([Penalty(0.5, 0.0), Penalty(0.1, 2.0)], ["y", "z"]) == {
        "penalty": {"l1": {"y": 0.5, "z": 0.1}, "l2": {"y": 0.0, "z": 2.0}}
    }
