"""The configurations of a sweep, whatever their optimizers."""

import pytest
from swept import NoRows, summary, swept_job

from pipeline.learning.outcomes import FIGURES
from pipeline.learning.sweep import Sweep
from pipeline.settings.errors import UserError


def test_configurations_keep_their_order_whatever_trains_them() -> None:
    sweep = Sweep(summary(), NoRows(), NoRows())
    epochs: list[int] = []
    jobs = [
        swept_job(train__optimizer="exact", train__reduce_rows="auto"),
        swept_job(train__lr=0.05, train__epochs=20),
        swept_job(train__optimizer="lbfgs", train__lr=1.0, train__epochs=3),
        swept_job(train__optimizer="adam", train__epochs=10),
        swept_job(train__lr=50.0),
    ]
    exact, sgd, lbfgs, adam, lost = sweep.trials(jobs, epochs.append)
    assert sum(epochs) == 1 + 20 + 3 + 10 + 100
    assert lost.note.startswith("diverged in epoch")
    for trial in (exact, sgd, lbfgs, adam):
        assert set(trial.figures) == set(FIGURES), trial.note
        assert exact.figures["train.rmse"] <= trial.figures["train.rmse"] * (1 + 1e-12)
    assert lbfgs.figures["cv.rmse.mean"] == pytest.approx(exact.figures["cv.rmse.mean"], rel=1e-5)


def test_a_metric_that_a_configuration_cannot_have_is_refused() -> None:
    jobs = [swept_job(), swept_job(train__batch_size=10, train__reduce_rows="auto")]
    sweep = Sweep(summary(), NoRows(), NoRows())
    sweep.check(jobs, "test.rmse")
    sweep.check(jobs[:1], "cv.rmse.mean")
    with pytest.raises(UserError, match="train.batch_size is 10, .*--metric test.rmse"):
        sweep.check(jobs, "cv.rmse.mean")
    with pytest.raises(UserError, match="no rows are held out; use cv.rmse.mean"):
        Sweep(summary(test_rows=0), NoRows(), NoRows()).check(jobs, "test.r2")
    with pytest.raises(UserError, match="no second fold with rows"):
        Sweep(summary(folds=1), NoRows(), NoRows()).check(jobs[:1], "cv.r2.mean")
