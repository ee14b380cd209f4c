"""Many descents at once give the figures of `train`, one at a time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from swept import NoRows, summary, swept_job, values

from pipeline.columns.summary import FoldPlaces, each_part_in_turn
from pipeline.learning import fold_parts, linear_sweep, one_by_one
from pipeline.learning.linear_sweep import LinearSweep
from pipeline.learning.outcomes import FIGURES, Trial
from pipeline.settings.params import Params

SGD: list[dict[str, Any]] = [
    {"train__lr": 0.05, "train__epochs": 30},
    {"train__lr": 0.01, "train__epochs": 7, "train__momentum": 0.9},
    {"train__lr": 0.01, "train__epochs": 30, "train__momentum": 0.9, "train__dampening": 0.5},
    {"train__lr": 0.02, "train__epochs": 30, "train__momentum": 0.5, "train__nesterov": True},
    {"train__lr": 0.03, "train__epochs": 1, "train__weight_decay": 0.1, "train__dampening": 0.3},
]
ADAM: list[dict[str, Any]] = [
    {"train__optimizer": "adam", "train__lr": 0.05, "train__epochs": 30},
    {"train__optimizer": "adam", "train__lr": 0.1, "train__epochs": 9, "train__weight_decay": 0.1},
]


def single(job: Params) -> Trial:
    return one_by_one.trial(job, summary(), NoRows(), NoRows())


@pytest.mark.parametrize("settings", [SGD, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize(
    "model",
    [{}, {"model__standardize": True}, {"model__bias": False}],
    ids=["plain", "standardized", "without bias"],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_figures_are_those_of_one_training_at_a_time(
    settings: list[dict[str, Any]], model: dict[str, Any], dtype: str, tolerance: float
) -> None:
    jobs = [swept_job(train__dtype=dtype, **model, **each) for each in settings]
    for job, trial in zip(jobs, LinearSweep(summary()).trials(jobs), strict=True):
        expected = single(job)
        assert set(trial.figures) == set(expected.figures) == set(FIGURES)
        for name, figure in expected.figures.items():
            # A deviation between folds has fewer digits than what deviates.
            scale = max(abs(figure), 0.1)
            assert trial.figures[name] == pytest.approx(figure, abs=tolerance * scale), name
        assert [epoch for epoch, _ in trial.losses] == [*range(1, job.train.epochs + 1)]
        for (_, loss), (_, other) in zip(trial.losses, expected.losses, strict=True):
            assert loss == pytest.approx(other, rel=10 * tolerance)
        assert not trial.note


@pytest.mark.parametrize(
    "diverging",
    [
        {"train__lr": 3.0},
        {"train__lr": 30.0, "train__momentum": 0.5},
        {"train__lr": 0.5, "train__momentum": 0.0},
        {"train__lr": 1e29, "train__optimizer": "adam"},
    ],
)
def test_what_diverges_is_noted_in_the_same_epoch_and_stops_nothing(
    diverging: dict[str, Any],
) -> None:
    good = {"train__optimizer": diverging.get("train__optimizer", "sgd"), "train__lr": 0.01}
    jobs = [swept_job(**diverging), swept_job(**good)]
    lost, kept = LinearSweep(summary()).trials(jobs)
    words = single(jobs[0]).note.split()
    assert lost.note == f"diverged in epoch {words[words.index('epoch') + 1]}"
    assert lost.figures == {}
    assert kept.note == ""
    assert set(kept.figures) == set(FIGURES)


def test_a_descent_does_not_depend_on_when_the_others_end() -> None:
    jobs = [swept_job(train__epochs=epochs, train__momentum=0.5) for epochs in (3, 9, 5)]
    together = LinearSweep(summary()).trials(jobs)
    for job, trial in zip(jobs, together, strict=True):
        (alone,) = LinearSweep(summary()).trials([job])
        assert trial.figures == pytest.approx(alone.figures, rel=1e-5)


def test_without_a_test_set_and_without_folds_there_are_no_such_figures() -> None:
    (trial,) = LinearSweep(summary(folds=1, test_rows=0)).trials([swept_job()])
    assert set(trial.figures) == {"train.rmse", "train.r2", "train.loss"}


def test_only_jobs_with_the_same_arithmetic_are_trained_at_once() -> None:
    jobs = [
        swept_job(train__lr=0.1),
        swept_job(train__optimizer="adam"),
        swept_job(train__momentum=0.9, train__epochs=7),
        swept_job(train__dtype="float64"),
        swept_job(model__standardize=True),
    ]
    assert linear_sweep.groups(jobs) == [[0, 2], [1], [3], [4]]


@pytest.mark.parametrize("other", [{"train__optimizer": "lbfgs"}, {"train__patience": 3}])
def test_other_trainings_are_not_for_it(other: dict[str, Any]) -> None:
    assert linear_sweep.is_possible(swept_job(), summary())
    assert not linear_sweep.is_possible(swept_job(**other), summary())


def test_folds_in_time_train_on_earlier_rows_alone() -> None:
    """The seed's folds would let each configuration see the rows after those it answers."""
    in_time = (FoldPlaces((1,), (0,)), FoldPlaces((2,), (0, 1)), FoldPlaces((3,), (0, 1)))
    ordered = replace(summary(folds=4), fold_places=in_time)
    rows, expected = values()[:150], []
    for fold in in_time:
        training, test = (
            np.vstack([rows[place::4] for place in side]) for side in (fold.training, fold.test)
        )
        model = LinearRegression().fit(training[:, :3], training[:, 3:])
        expected.append(np.sqrt(np.mean((model.predict(test[:, :3]) - test[:, 3:]) ** 2)))
    precise = {"train__dtype": "float64", "model__dtype": "float64"}
    job = swept_job(train__lr=0.1, train__epochs=1000, model__standardize=True, **precise)
    exact = swept_job(train__optimizer="exact", train__reduce_rows="auto", **precise)
    (at_once,) = LinearSweep(ordered).trials([job])
    by_itself = (one_by_one.trial(each, ordered, NoRows(), NoRows()) for each in (job, exact))
    for trial in (at_once, *by_itself):
        assert trial.figures["cv.rmse.mean"] == pytest.approx(np.mean(expected), rel=1e-9)
        assert trial.figures["cv.rmse.std"] == pytest.approx(np.std(expected, ddof=1), rel=1e-9)


def test_what_is_wrong_with_a_fold_is_noted_by_its_number() -> None:
    outlying, others = 34, tuple(place for place in range(60) if place not in (2, 34))
    places = (FoldPlaces((0,), ()), FoldPlaces((1,), (outlying,)), FoldPlaces((2,), others))
    few = replace(summary(folds=60), fold_places=places)  # of three rows at most
    exact = swept_job(train__optimizer="exact", train__reduce_rows="auto")
    trial = one_by_one.trial(exact, few, NoRows(), NoRows())
    assert trial.note == (
        "too few rows train for fold 2 of 3 (fold 2: 2 rows for 4 numbers of the model)"
    )
    assert "cv.rmse.mean" not in trial.figures
    (diverging,) = LinearSweep(few).trials([swept_job(train__lr=0.25, train__epochs=30)])
    assert diverging.note == "diverged in epoch 6 on the training rows of fold 2"


def test_a_fit_that_chooses_its_penalty_chooses_it_without_the_rows_that_test() -> None:
    whole = summary(folds=4)
    inner = fold_parts.of_fold(whole, whole.folds[1])
    assert inner.fold_places == each_part_in_turn(3)
    assert [part.rows for part in inner.parts] == [whole.parts[place].rows for place in (0, 2, 3)]
    assert inner.test == whole.parts[1]
    in_time = tuple(FoldPlaces((n,), tuple(range(n))) for n in range(1, 4))
    last = replace(whole, fold_places=in_time)
    assert fold_parts.of_fold(last, last.folds[2]).fold_places == in_time[:2]
