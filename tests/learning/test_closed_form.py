"""The closed form is the exact solution, rounded once, or is refused if it is not unique."""

from fractions import Fraction

import numpy as np
import pytest
from conftest import job
from noisy_line import held_out_job

from pipeline.learning import prediction, training
from pipeline.settings.errors import UserError
from pipeline.tables.table import Table


def test_the_exact_solution_is_rounded_once() -> None:
    params, rows, held_out = held_out_job()
    exact = params.train.model_copy(update={"optimizer": "exact"})
    single = params.model_copy(update={"train": exact})
    double = single.model_copy(
        update={"model": params.model.model_copy(update={"dtype": "float64"})}
    )
    lines = [
        prediction.line_of(training.train(each, rows, held_out)[0]) for each in (single, double)
    ]
    assert lines[0] is not None
    assert lines[1] is not None
    np.testing.assert_array_equal(lines[0].weight, lines[1].weight.astype(np.float32))
    x = [[Fraction(1), *map(Fraction, row[:-1])] for row in rows.values.tolist()]
    y = [Fraction(row[-1]) for row in rows.values.tolist()]
    numbers = [Fraction(float(lines[1].bias[0])), *map(Fraction, lines[1].weight[0].tolist())]
    errors = [
        b - sum(a * w for a, w in zip(row, numbers, strict=True))
        for row, b in zip(x, y, strict=True)
    ]
    # The residuals are orthogonal to every column, except for the one rounding of the weights.
    for column in zip(*x, strict=True):
        assert abs(float(sum(a * e for a, e in zip(column, errors, strict=True)))) < 1e-13


def test_columns_that_depend_on_each_other_are_refused_unless_allowed() -> None:
    x = np.random.default_rng(0).normal(size=(30, 2))
    names, answer = ("a", "b", "y"), x.sum(axis=1)
    copies = Table(names, np.column_stack([x[:, 0], x[:, 0], answer]))
    nearly = np.column_stack([x[:, 0], x[:, 0] * (1 + 1e-9 * x[:, 1]), answer])
    close = Table(names, nearly, frozenset({"a", "b"}))
    for table, told in (
        (
            copies,
            "train.optimizer: exact has more than one solution, because columns say the same as"
            " others:\n  b is a copy of a\nname data.features without them, or set"
            " train.dependent to drop, which gives them the weight 0",
        ),
        (
            close,
            "train.optimizer: exact would fit the rounding of the numbers, because columns say the"
            " same as others to within it:\n  a, b say the same, to within the rounding of their"
            " numbers\nname data.features without one of them, or set train.dependent to"
            " drop, which gives the last of them the weight 0",
        ),
    ):
        exact = {"data__features": ["a", "b"], "data__generate__x": [[1.0, 2.0]],
                 "data__generate__weight": [[1.0], [1.0]], "evaluate__queries": [],
                 "train__optimizer": "exact"}  # fmt: skip
        with pytest.raises(UserError) as caught:
            training.train(job(**exact, train__dependent="refuse"), table)
        assert str(caught.value) == told
        training.train(job(**exact), table)


@pytest.mark.parametrize("bias", [True, False])
def test_the_mean_that_ships_is_that_of_a_trained_model(bias: bool) -> None:
    """The Gram matrix and the rows give the same exactly rounded sums."""
    params, rows, _ = held_out_job(model__standardize=True, model__bias=bias)
    brief = params.train.model_copy(update={"epochs": 1})
    exact = params.train.model_copy(update={"optimizer": "exact"})
    means = [
        training.train(params.model_copy(update={"train": each}), rows)[0].state_dict()["mean"]
        for each in (brief, exact)
    ]
    assert means[0].tolist() == means[1].tolist()
    assert bool(means[0].any()) is bias


def test_weights_that_float32_cannot_hold_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    a, noise = random.normal(size=(2, 40))
    table = Table(("a", "b", "y"), np.column_stack([a, 3 * a + 1.3e-8 * noise, noise]))
    exact = {"data__features": ["a", "b"], "data__generate__x": [[1.0, 2.0]],
             "data__generate__weight": [[1.0], [1.0]], "evaluate__queries": [],
             "train__optimizer": "exact"}  # fmt: skip
    training.train(job(**exact), table)
    told = capsys.readouterr().err
    assert "y: its weights, rounded to float32, lose " in told
    assert "of R², because columns nearly depend on each other; set model.dtype: float64" in told
    training.train(job(**exact, model__dtype="float64"), table)
    assert "lose" not in capsys.readouterr().err
