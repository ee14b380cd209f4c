"""The configurations of a sweep, trained: at once where that is possible, else one by one."""

from collections.abc import Callable, Sequence

from pipeline.columns.blocks import TableFile
from pipeline.columns.summary import Summary
from pipeline.learning import construction, linear_sweep, one_by_one
from pipeline.learning.linear_sweep import LinearSweep
from pipeline.learning.outcomes import DEFAULT_METRIC, Trial
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params

AT_ONCE = 256
"""Most configurations of a chunk."""


class SweepTrainer:
    """Trainer of configurations on one table."""

    def __init__(self, summary: Summary, rows: TableFile, held_out: TableFile) -> None:
        self.summary, self.rows, self.held_out = summary, rows, held_out
        self._linear = LinearSweep(summary)

    def check(self, jobs: Sequence[Params], metric: str) -> None:
        """Raise UserError if a configuration cannot have the metric, with what to do instead.

        Also if a module of the user's own cannot be made.
        """
        for model in {job.model: job.model for job in jobs if not job.model.is_linear}:
            construction.initial(model, len(self.summary.features), len(self.summary.targets))
        if metric.startswith("test.") and not self.summary.test.rows:
            raise UserError(
                f"--metric: found {metric}, but no rows are held out; use {DEFAULT_METRIC}, or set"
                " data.test_fraction to 0.2, say, and `dvc repro generate`"
            )
        if metric == "train.loss" and len({job.train.loss for job in jobs}) > 1:
            raise UserError(
                "--metric: found train.loss, but the configurations have different losses, which"
                f" cannot be compared; use {DEFAULT_METRIC} or test.rmse"
            )
        if not metric.startswith("cv."):
            return
        cure = "hold rows out (data.test_fraction: 0.2) and choose by --metric test.rmse"
        if self.summary.test.rows:
            cure = "choose by --metric test.rmse, which is then no estimate of new rows' error"
        if not self.summary.folds_with_rows:
            raise UserError(
                f"--metric: found {metric}, but there is no second fold with rows; {cure}"
            )
        for job in jobs:
            if not one_by_one.can_be_cross_validated(job):
                raise UserError(
                    f"--metric: found {metric}, but {_obstacle(job)}, so they cannot be trained for"
                    f" each fold; {cure}"
                )

    def chunks(self, jobs: Sequence[Params]) -> list[list[int]]:
        """Return the places of the jobs that are trained, and written, before the next ones.

        They depend on the jobs alone: a sweep that is resumed has the same bits.
        """
        at_once = {
            place: job
            for place, job in enumerate(jobs)
            if job.model.is_linear and linear_sweep.is_possible(job, self.summary)
        }
        chunks = [
            [[*at_once][index] for index in group[start : start + AT_ONCE]]
            for group in linear_sweep.groups([*at_once.values()])
            for start in range(0, len(group), AT_ONCE)
        ]
        return [*chunks, *([place] for place in range(len(jobs)) if place not in at_once)]

    def trials(
        self, jobs: Sequence[Params], advance: Callable[[int], object] = lambda _: None
    ) -> list[Trial]:
        """Train the jobs of a chunk; return what became of each.

        advance: gets the epochs that are done. Raises UserError if a column cannot be standardized.
        """
        if jobs[0].model.is_linear and linear_sweep.is_possible(jobs[0], self.summary):
            return self._linear.trials(jobs, advance)
        trials = []
        for job in jobs:
            trials.append(one_by_one.trial(job, self.summary, self.rows, self.held_out))
            advance(epochs(job))
        return trials


def epochs(job: Params) -> int:
    """Return the epochs of a configuration, for a progress bar."""
    return 1 if job.train.optimizer == "exact" else job.train.epochs


def _obstacle(job: Params) -> str:
    if not job.model.is_linear:
        return job.model.cause
    if not job.train.loss_kind.is_squared:
        return f"train.loss is {job.train.loss}"
    if job.train.patience is not None:
        return f"train.patience is {job.train.patience}"
    return f"train.batch_size is {job.train.batch_size}"
