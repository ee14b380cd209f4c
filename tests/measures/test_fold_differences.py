"""Two exact results are compared in the same folds, from their files alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from folded import in_folds
from sklearn.linear_model import LinearRegression, Ridge

from pipeline.columns.summary import Summary, each_part_in_turn
from pipeline.measures import fold_differences
from pipeline.measures.fold_differences import Job
from pipeline.settings import files
from pipeline.settings.errors import UserError

ROWS = np.arange(90)
PART = ROWS % 3
FOLDS = [(ROWS[fold != PART], ROWS[fold == PART]) for fold in range(3)]


def values(columns: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.standard_normal((90, 3))
    return x[:, :columns], x @ [1.0, 2.0, 0.01] + random.standard_normal(90)


def written(folder: Path, summary: Summary) -> Path:
    files.write_bytes(folder / files.SUMMARY, summary.as_bytes())
    return folder


def test_the_difference_is_that_of_fits_to_the_rows(tmp_path: Path) -> None:
    jobs, errors = [], []
    for columns, l2 in ((1, 0.0), (3, 0.1)):
        x, y = values(columns)
        folder = written(tmp_path / str(columns), in_folds(x, y, FOLDS))
        metrics = {"penalty.l1.y": 0.0, "penalty.l2.y": l2} if l2 else {}
        jobs.append(Job.of(folder, {"train.l1": 0.0, "train.l2": l2 and "cv"}, metrics))
        of_folds = []
        for training, test in FOLDS:
            mean, deviation = x[training].mean(axis=0), x[training].std(axis=0)
            z = (x - mean) / deviation
            model = Ridge(alpha=60 * l2) if l2 else LinearRegression()
            predicted = model.fit(z[training], y[training]).predict(z[test])
            of_folds.append(np.mean((predicted - y[test]) ** 2))
        errors.append(of_folds)
        rmse = float(np.mean(np.sqrt(of_folds)))
        fold_differences.check_mean(jobs[-1], {"cv.rmse.mean": rmse})
        with pytest.raises(UserError, match="these versions compute"):
            fold_differences.check_mean(jobs[-1], {"cv.rmse.mean": 1.01 * rmse})
    paired = fold_differences.paired(*jobs)
    assert set(paired) == {"y", ""}
    difference = paired["y"]
    assert difference.first == pytest.approx(np.mean(errors[0]), rel=1e-9)
    assert difference.other == pytest.approx(np.mean(errors[1]), rel=1e-9)
    assert difference.pairs == 3


def test_other_folds_are_no_pairs(tmp_path: Path) -> None:
    x, y = values(2)
    summary = in_folds(x, y, FOLDS)
    first = Job(summary, {}, has_bias=True)
    for other in (
        in_folds(x, y, [(ROWS[:60], ROWS[60:]), (ROWS[30:], ROWS[:30])]),
        in_folds(x, np.roll(y, 1), FOLDS),
        replace(summary, fold_places=summary.fold_places[:2]),
    ):
        with pytest.raises(UserError, match="their folds have other rows"):
            fold_differences.paired(first, Job(other, {}, has_bias=True))


def test_a_summary_of_before_folds_had_parts_is_read(tmp_path: Path) -> None:
    x, y = values(2)
    summary = in_folds(x, y, FOLDS)
    summary = replace(summary, fold_places=each_part_in_turn(len(summary.parts)))
    value = json.loads(summary.as_bytes())
    value["folds"] = value.pop("parts")
    files.write_json(tmp_path / files.SUMMARY, value)
    older = Job.of(tmp_path, {}, {})
    newer = Job.of(written(tmp_path / "new", summary), {}, {})
    assert older.errors == newer.errors
    assert fold_differences.paired(older, newer)["y"].mean == 0.0


def test_what_is_missing_is_a_reason(tmp_path: Path) -> None:
    x, y = values(2)
    with pytest.raises(UserError, match=r"data/summary.json: FileNotFoundError"):
        Job.of(tmp_path, {}, {})
    folder = written(tmp_path, in_folds(x, y, FOLDS))
    with pytest.raises(UserError, match="no penalty of y"):
        Job.of(folder, {"train.l2": "cv"}, {})
