"""cv.* in metrics.json is what fits to the training rows of each fold give on its test rows."""

from typing import Any

import numpy as np
import pytest
from conftest import job
from folded import Rows, features, in_folds
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, TimeSeriesSplit

from pipeline.exact.penalties import Penalty
from pipeline.measures import folds
from pipeline.report import penalty
from pipeline.settings.params import Params

Floats = NDArray[np.float64]
ROWS, GAP = 120, 7


def table(rows: int = ROWS, columns: int = 4) -> tuple[Floats, Floats]:
    """Return features, and a target that drifts with the row."""
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, columns)) * [1, 10, 0.1, 3][:columns] + 1
    y = x @ random.standard_normal(columns) + random.standard_normal(rows)
    return x, y + np.arange(rows) / rows


def in_time(**settings: Any) -> list[tuple[Rows, Rows]]:
    """Return the rows that train, and those that test, as scikit-learn has them in time."""
    return [*TimeSeriesSplit(5, **settings).split(np.empty(ROWS))]


def in_groups() -> list[tuple[Rows, Rows]]:
    """Return folds of whole groups of other sizes."""
    group = np.random.default_rng(1).integers(0, 17, ROWS) ** 2 // 20
    return [*GroupKFold(5).split(np.empty(ROWS), groups=group)]


def exact_job(columns: int = 4, **changes: Any) -> Params:
    usual: dict[str, Any] = {
        "data__source": "data/raw/a.csv",
        "data__features": [*features(columns)],
        "evaluate__queries": [],
        "train__optimizer": "exact",
    }
    return job(**usual | changes)


def fitted(x: Floats, y: Floats, penalty: Penalty) -> Any:
    """Return scikit-learn's model of standardized features: see docs/least-squares.md."""
    if penalty.l1:
        total = penalty.l1 + penalty.l2
        elastic = ElasticNet(alpha=total, l1_ratio=penalty.l1 / total, tol=1e-14, max_iter=10**6)
        return elastic.fit(x, y)
    return (Ridge(alpha=len(y) * penalty.l2) if penalty.l2 else LinearRegression()).fit(x, y)


@pytest.mark.parametrize(
    "penalty", [Penalty(), Penalty(l2=0.1), Penalty(l1=0.2), Penalty(l1=0.1, l2=0.3)]
)
@pytest.mark.parametrize(
    "chosen",
    [in_time(), in_time(gap=GAP), in_time(gap=GAP, max_train_size=30), in_groups()],
    ids=["in time", "with a gap", "of the last rows", "in groups"],
)
def test_figures_are_those_of_fits_to_the_rows(
    chosen: list[tuple[Rows, Rows]], penalty: Penalty
) -> None:
    x, y = table()
    summary = in_folds(x, y, chosen)
    params = exact_job(train__l1=penalty.l1, train__l2=penalty.l2)
    rmse, r2 = [], []
    for training, test in chosen:
        mean, deviation = x[training].mean(axis=0), x[training].std(axis=0)
        model = fitted((x[training] - mean) / deviation, y[training], penalty)
        errors = y[test] - model.predict((x[test] - mean) / deviation)
        rmse.append(np.sqrt(np.mean(errors**2)))
        r2.append(1 - np.mean(errors**2) / y[test].var())
    cv = folds.in_metrics(params, summary, [penalty])["cv"]
    for figure, values in (("rmse", rmse), ("r2", r2)):
        assert cv[figure]["mean"] == pytest.approx(np.mean(values), rel=1e-9)
        assert cv[figure]["std"] == pytest.approx(np.std(values, ddof=1), rel=1e-8)
    assert not list(folds.warnings(params, summary))


def test_a_fold_in_which_a_level_never_trains_answers_as_without_it() -> None:
    """The column is constant in the training rows, so its weight is 0."""
    x, y = table()
    chosen = in_time()
    x[:, 3] = np.arange(ROWS) >= chosen[1][1][0]  # from the second fold's test rows on
    cv = folds.in_metrics(exact_job(), in_folds(x, y, chosen), [Penalty()])["cv"]
    rmse = []
    for number, (training, test) in enumerate(chosen):
        used = x[:, : 3 if number < 2 else 4]
        errors = y[test] - LinearRegression().fit(used[training], y[training]).predict(used[test])
        rmse.append(np.sqrt(np.mean(errors**2)))
    assert cv["rmse"]["mean"] == pytest.approx(np.mean(rmse), rel=1e-9)


def test_of_a_fold_with_a_constant_target_there_is_no_r2() -> None:
    x, y = table()
    chosen = in_time()
    y[chosen[2][1]] = 1.0
    summary = in_folds(x, y, chosen)
    several = folds.in_metrics(exact_job(), summary, [Penalty()])["cv"]
    r2 = []
    for training, test in chosen[:2] + chosen[3:]:
        r2.append(LinearRegression().fit(x[training], y[training]).score(x[test], y[test]))
    assert several["r2"]["mean"] == pytest.approx(np.mean(r2), rel=1e-9)
    none = folds.in_metrics(exact_job(), in_folds(x, 0 * y, chosen), [Penalty()])["cv"]
    assert none["r2"] == {"mean": None, "std": None}


def test_too_few_training_rows_for_plain_least_squares_are_named_and_null() -> None:
    x, y = table()
    rows = np.arange(ROWS)
    chosen = [(rows[:3], rows[3:40]), (rows[:4], rows[40:80]), (rows[:80], rows[80:])]
    summary = in_folds(x, y, chosen)
    nothing = {"mean": None, "std": None}
    assert folds.in_metrics(exact_job(), summary, [Penalty()]) == {
        "cv": {"rmse": nothing, "r2": nothing}
    }
    assert list(folds.warnings(exact_job(), summary)) == [
        "too few rows train for folds 1, 2 of 3 (fold 1: 3 rows for 5 numbers of the model): cv in"
        " reports/metrics.json is null; set train.l2 to cv, or data.folds to another number"
    ]
    penalized = exact_job(train__l2=0.1)
    assert folds.in_metrics(penalized, summary, [Penalty(l2=0.1)])["cv"]["rmse"]["mean"] > 0
    assert not list(folds.warnings(penalized, summary))
    x[:80, 1:] = 2.0  # one number and the bias are left
    assert folds.in_metrics(exact_job(), in_folds(x, y, chosen), [Penalty()])["cv"]["rmse"]["mean"]


def test_a_figure_says_of_how_many_folds_it_is_where_that_is_not_all() -> None:
    x, y = table()
    y[80:] = 7.0  # no R² in the last fold
    rows = np.arange(ROWS)
    chosen = [(np.setdiff1d(rows, test), test) for test in (rows[:40], rows[40:80], rows[80:])]
    metrics = folds.in_metrics(exact_job(), in_folds(x, y, chosen), [Penalty()])
    assert "folds" not in metrics["cv"]["rmse"]
    assert metrics["cv"]["r2"]["folds"] == 2
    told = penalty.folds(metrics)
    assert told is not None
    assert told.endswith(" (of the 2 folds where the target varies)")
    assert told.count(" folds ") == 1


def test_folds_without_rows_are_left_out_and_named() -> None:
    x, y = table()
    rows = np.arange(ROWS)
    chosen = [(rows[:0], rows[:40]), (rows[:40], rows[40:80]), (rows[:80], rows[80:])]
    cv = folds.in_metrics(exact_job(), in_folds(x, y, chosen), [Penalty()])
    of_two = folds.in_metrics(exact_job(), in_folds(x, y, chosen[1:]), [Penalty()])
    assert cv == {"cv": {name: figure | {"folds": 2} for name, figure in of_two["cv"].items()}}
    assert list(folds.warnings(exact_job(), in_folds(x, y, chosen))) == [
        "no row is left to train for fold 1 of 3: cv in reports/metrics.json is of 2 folds alone;"
        " set data.folds to fewer"
    ]
    one = in_folds(x, y, chosen[:2])
    assert folds.in_metrics(exact_job(), one, [Penalty()]) == {}
    assert "cv in reports/metrics.json is missing" in next(folds.warnings(exact_job(), one))
    assert not list(folds.warnings(exact_job(train__optimizer="sgd"), one))
