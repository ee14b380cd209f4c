"""Columns that depend on each other are described as a person would."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import job

from pipeline.exact.dependence import Dependent, NearlyDependent
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.learning import fit_messages


@pytest.mark.parametrize(
    ("name", "combination", "told"),
    [
        ("five", ((None, Fraction(5)),), "five is 5 in every row"),
        ("again", (("a", Fraction(1)),), "again is a copy of a"),
        ("twice", (("a", Fraction(2)),), "twice = 2·a"),
        (
            *("mix", (("a", Fraction(1)), ("b", Fraction(-3)), (None, Fraction(1, 2)))),
            "mix = a − 3·b + 0.5",
        ),
        ("nought", (), "nought is zero in every row"),
        (
            *("long", tuple((f"x{i}", Fraction(-1)) for i in range(8))),
            "long = −x0 − x1 − x2 − x3 − x4 − x5 + 2 terms more",
        ),
    ],
)
def test_a_dependent_column_has_its_formula(
    name: str, combination: tuple[tuple[str | None, Fraction], ...], told: str
) -> None:
    assert fit_messages.dependent(Dependent(name, combination)) == told


def test_a_factor_beyond_float64_can_be_shown() -> None:
    small, large = np.array([5e-324, 1e-323, 0]), np.array([8e307, 1.6e308, 0])
    for first, second in ((small, large), (large, small)):
        table = np.column_stack([first, second, [1.0, 2, 3]])
        (column,) = fit(gram_matrix(table), ["a", "b"], ["y"]).dependent
        (term,) = column.combination
        assert term == ("a", Fraction(second[0]) / Fraction(first[0]))
        told = fit_messages.dependent(column)
        assert told.startswith("b = ")
        assert told != "b = 0·a"


def test_nearly_dependent_columns_are_named() -> None:
    assert fit_messages.nearly_dependent(NearlyDependent(("p", "q"))) == (
        "p, q say the same, to within the rounding of their numbers"
    )
    assert fit_messages.nearly_dependent(NearlyDependent(("p",))) == (
        "p is constant, to within the rounding of its numbers"
    )
    assert "and 2 more" in fit_messages.nearly_dependent(NearlyDependent(tuple("abcdefghij")))


def test_a_target_that_is_a_formula_of_features_is_named() -> None:
    x = np.random.default_rng(0).integers(-9, 9, (20, 2)).astype(float)
    names, thirds = ("a", "b"), x[:, 0] / 3
    for target, told in (
        (2 * x[:, 0] - x[:, 1] + 5, "y = 2·a − b + 5 in every row: a formula"),
        (thirds, "y = 0.333333·a in every row, to within rounding: a formula"),
        (np.full(20, 7.0), "y is 7 in every row"),
    ):
        fitted = fit(gram_matrix(np.column_stack([x, target])), names, ("y",))
        assert fit_messages.exact_targets(fitted)["y"].startswith(told)
    noisy = np.column_stack([x, x[:, 0] + 1e-9 * x[:, 1] ** 2])
    assert fit_messages.exact_targets(fit(gram_matrix(noisy), names, ("y",))) == {}
    few = fit(gram_matrix(noisy[:3]), names, ("y",))
    assert few.degrees_of_freedom == 0
    assert fit_messages.exact_targets(few) == {}, "three numbers fit any three rows"


def test_only_a_fit_that_takes_long_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    fit_messages.announce(400)
    assert capsys.readouterr().out == ""
    fit_messages.announce(850)
    assert capsys.readouterr().out == "least squares of 850 features takes about 61 s\n"


@pytest.mark.parametrize(
    ("changes", "begin"),
    [
        ({"train__optimizer": "exact"}, None),
        ({"train__lr": 0.02}, None),
        ({"train__optimizer": "exact", "train__lr": 0.02}, "train.lr has no effect: with"),
        (
            {"train__optimizer": "exact", "train__lr": 0.02, "train__epochs": 5},
            "train.lr and train.epochs have no effect",
        ),
    ],
)
def test_a_setting_that_was_changed_in_vain_is_said(
    changes: dict[str, Any], begin: str | None
) -> None:
    """Someone ran five experiments with other learning rates, and all gave the same result."""
    warning = fit_messages.without_effect(job(**changes).train)
    assert (warning is None) if begin is None else (warning or "").startswith(begin)


def test_the_usual_values_are_those_of_the_tutorial() -> None:
    train = job().train
    assert {name: getattr(train, name) for name in fit_messages.USUAL} == fit_messages.USUAL
