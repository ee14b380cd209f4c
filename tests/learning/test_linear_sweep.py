"""Many descents at once give the figures of `train`, one at a time."""

from typing import Any

import pytest
from swept import NoRows, summary, swept_job

from pipeline.learning import linear_sweep, one_by_one
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
