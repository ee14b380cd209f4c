"""The configurations of a sweep, whatever their optimizers."""

import pytest
from swept import NoRows, summary, swept_job

from pipeline.learning.outcomes import FIGURES, Trial
from pipeline.learning.sweep_trainer import SweepTrainer
from pipeline.settings.errors import UserError


def test_every_optimizer_gives_the_same_figures() -> None:
    sweep = SweepTrainer(summary(), NoRows(), NoRows())
    epochs: list[int] = []
    jobs = [
        swept_job(train__lr=0.05, train__epochs=20),
        swept_job(train__optimizer="exact", train__reduce_rows="auto"),
        swept_job(train__optimizer="adam", train__epochs=10),
        swept_job(train__lr=50.0),
        swept_job(train__optimizer="lbfgs", train__lr=1.0, train__epochs=3),
    ]
    chunks = sweep.chunks(jobs)
    assert chunks == [[0, 3], [2], [1], [4]]
    trials: dict[int, Trial] = {}
    for chunk in chunks:
        done = sweep.trials([jobs[place] for place in chunk], epochs.append)
        trials |= dict(zip(chunk, done, strict=True))
    assert sum(epochs) == 20 + 1 + 10 + 100 + 3
    assert trials.pop(3).note.startswith("diverged in epoch")
    exact, lbfgs = trials[1].figures, trials[4].figures
    for trial in trials.values():
        assert set(trial.figures) == set(FIGURES), trial.note
        assert exact["train.rmse"] <= trial.figures["train.rmse"] * (1 + 1e-12)
    assert lbfgs["cv.rmse.mean"] == pytest.approx(exact["cv.rmse.mean"], rel=1e-5)


def test_a_chunk_has_a_limit() -> None:
    jobs = [swept_job()] * 600
    assert [len(each) for each in SweepTrainer(summary(), NoRows(), NoRows()).chunks(jobs)] == [
        256, 256, 88,
    ]  # fmt: skip


def test_a_metric_that_a_configuration_cannot_have_is_refused() -> None:
    jobs = [swept_job(), swept_job(train__batch_size=10, train__reduce_rows="auto")]
    sweep = SweepTrainer(summary(), NoRows(), NoRows())
    sweep.check(jobs, "test.rmse")
    sweep.check(jobs[:1], "cv.rmse.mean")
    with pytest.raises(UserError, match="train.batch_size is 10, .*--metric test.rmse"):
        sweep.check(jobs, "cv.rmse.mean")
    with pytest.raises(UserError, match="no rows are held out; use cv.rmse.mean"):
        SweepTrainer(summary(test_rows=0), NoRows(), NoRows()).check(jobs, "test.r2")
    with pytest.raises(UserError, match="no second fold with rows"):
        SweepTrainer(summary(folds=1), NoRows(), NoRows()).check(jobs[:1], "cv.r2.mean")
