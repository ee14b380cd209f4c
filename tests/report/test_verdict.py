"""A model that is worse than the mean of the target gets that verdict; a sample is called one."""

from typing import Any

import pytest

from pipeline.report import verdict


@pytest.mark.parametrize(
    ("train_r2", "test_r2", "rows"),
    [
        (0.9, -2.94, "rows held out"),
        (-0.1, 0.2, None),
        (-0.1, None, "training rows"),
        (0.0, None, None),
        (None, None, None),
    ],
)
def test_which_model_is_worse_than_the_mean(
    train_r2: float | None, test_r2: float | None, rows: str | None
) -> None:
    metrics = {"train": {"r2": train_r2}} | ({} if test_r2 is None else {"test": {"r2": test_r2}})
    told = verdict.worse_than_the_mean(metrics)
    worse = "the model is worse than answering each row with the mean of the target"
    r2 = train_r2 if test_r2 is None else test_r2
    assert told == (rows and f"on the {rows} {worse} (R² {r2})")


def test_the_verdict_is_on_the_scale_and_the_rows_of_the_report() -> None:
    poor = {"r2": -0.5, "own_unit_r2": 0.23}
    assert verdict.worse_than_the_mean({"train": poor}) is None, "two targets of different scales"
    assert verdict.worse_than_the_mean({"train": {"r2": 0.5, "own_unit_r2": -0.2}}) is not None
    folds = {"train": {"r2": 0.9}, "cv": {"r2": {"mean": -1.5, "std": 0.1}}}
    told = verdict.worse_than_the_mean(folds)
    assert told is not None
    assert told.startswith("on the rows left out in turn (folds) the model is worse")
    no_figure: dict[str, Any] = {"train": {"r2": -1.0}, "cv": {"r2": {"mean": None, "std": None}}}
    assert "training rows" in str(verdict.worse_than_the_mean(no_figure))


@pytest.mark.parametrize(
    ("loss", "is_judged"),
    [
        ("squared", True),
        ("huber", True),
        (None, True),
        ("absolute", False),
        ("quantile:0.9", False),
    ],
)
def test_only_a_model_of_means_is_worse_than_the_mean(loss: str | None, is_judged: bool) -> None:
    told = verdict.worse_than_the_mean({"train": {"r2": -0.5}}, loss)
    assert (told is not None) == is_judged


def test_a_mean_absolute_error_of_some_rows_says_so() -> None:
    metrics: dict[str, Any] = {"train": {"mae": 1.0}, "test": {"mae": 1.0}, "reference": {}}
    assert verdict.mae_of_some_rows(metrics) is None
    metrics["test"]["mae_rows"] = 10_003
    told = verdict.mae_of_some_rows(metrics)
    assert told is not None
    assert "is of 10,003 rows held out, which the seed chose" in told
    metrics = {"train": {"mae": 1.0, "mae_rows": 100_007}, "reference": {}}
    told = verdict.mae_of_some_rows(metrics)
    assert told is not None
    assert "is of 100,007 training rows, which" in told
