"""Outcomes of a sweep on the tables in data/, chunk by chunk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from pipeline.columns import plan
from pipeline.columns.blocks import TableFile
from pipeline.columns.summary import read_summary
from pipeline.learning import data_checks, device
from pipeline.learning.outcomes import Outcome
from pipeline.learning.sweep_trainer import SweepTrainer, epochs
from pipeline.settings import files
from pipeline.settings.configurations import Configurations
from pipeline.settings.params import Params


class ListedSweep:
    """A sweep whose configurations are known from the beginning."""

    def __init__(self, tried: Configurations, metric: str) -> None:
        self.tried, self.metric, self.count = tried, metric, tried.count
        self.keys, self.command, self.description = tried.keys, tried.command, tried.description

    @property
    def depends_on(self) -> tuple[Any, ...]:
        """What the figures depend on, beside the job and its data."""
        return self.tried.keys, self.tried.values

    def chunks(self, done: Mapping[int, Outcome]) -> Iterator[list[Outcome]]:
        """Return an iterator that trains a chunk of the configurations at each step.

        done: the outcomes that there are, by their numbers.
        Raises UserError, before any training, if the model cannot be fitted to the tables, or if a
        configuration cannot have the metric.
        """
        sweep = trainer(self.tried.params, self.metric)
        for contradiction, number in self.tried.left_out.items():
            print(f"left out: {number} × {contradiction}")
        return self._chunks(sweep, done)

    def _chunks(self, sweep: SweepTrainer, done: Mapping[int, Outcome]) -> Iterator[list[Outcome]]:
        total = sum(map(epochs, self.tried.params))
        with tqdm(desc="sweep", unit=" epochs", unit_scale=True, total=total, disable=None) as bar:
            yield from chunks(sweep, self.tried, done, advance=bar.update)


def trainer(jobs: Sequence[Params], metric: str) -> SweepTrainer:
    """Return the trainer of configurations on the tables in data/.

    Raises UserError if one cannot be fitted to the tables, or cannot have the metric.
    """
    summary, columns = read_summary(), plan.read_plan()
    rows, held_out = (
        TableFile(path, columns, jobs[0].data.targets) for path in (files.TRAIN, files.TEST)
    )
    # Of the keys that can vary these checks depend on few.
    different = {
        (
            *(job.train.optimizer, job.train.device, job.train.dtype, job.model),
            *(job.train.penalized, job.train.chosen_by_folds),
        ): job
        for job in jobs
    }
    for job in different.values():
        device.choose(job.train.device)
        data_checks.check(job, summary, {each.path: each.blocks for each in (rows, held_out)})
    sweep = SweepTrainer(summary, rows, held_out)
    sweep.check(jobs, metric)
    return sweep


def chunks(
    sweep: SweepTrainer,
    tried: Configurations,
    done: Mapping[int, Outcome],
    first: int = 1,
    advance: Callable[[int], object] = lambda _: None,
) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each chunk that is not done. first: the first configuration's number.

    advance: gets the epochs that are done.
    """
    for chunk in sweep.chunks(tried.params):
        jobs = [tried.params[place] for place in chunk]
        if all(first + place in done for place in chunk):
            advance(sum(map(epochs, jobs)))
            continue
        yield [
            Outcome(first + place, tried.settings(place), trial.figures, trial.losses, trial.note)
            for place, trial in zip(chunk, sweep.trials(jobs, advance), strict=True)
        ]
