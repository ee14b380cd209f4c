"""Outcomes of a sweep on the tables in data/, chunk by chunk."""

from collections.abc import Collection, Iterator

from tqdm import tqdm

from pipeline.columns import plan
from pipeline.columns.blocks import TableFile
from pipeline.columns.summary import read_summary
from pipeline.learning import data_checks, device
from pipeline.learning.outcomes import Outcome
from pipeline.learning.sweep_trainer import SweepTrainer, epochs
from pipeline.settings import files
from pipeline.settings.configurations import Configurations


def trained(tried: Configurations, metric: str, done: Collection[int]) -> Iterator[list[Outcome]]:
    """Return an iterator that trains a chunk of the configurations at each step.

    done: numbers of configurations that have an outcome.
    Raises UserError, before any training, if the model cannot be fitted to the tables, or if a
    configuration cannot have the metric.
    """
    jobs, summary, columns = tried.params, read_summary(), plan.read_plan()
    rows, held_out = (
        TableFile(path, columns, jobs[0].data.targets) for path in (files.TRAIN, files.TEST)
    )
    # Of the keys that can vary these checks depend on few.
    different = {
        (job.train.optimizer, job.train.device, job.train.dtype, job.model): job for job in jobs
    }
    for job in different.values():
        device.choose(job.train.device)
        data_checks.check(job, summary, {each.path: each.blocks for each in (rows, held_out)})
    sweep = SweepTrainer(summary, rows, held_out)
    sweep.check(jobs, metric)
    return _chunks(sweep, tried, done)


def _chunks(
    sweep: SweepTrainer, tried: Configurations, done: Collection[int]
) -> Iterator[list[Outcome]]:
    total = sum(map(epochs, tried.params))
    with tqdm(desc="sweep", unit=" epochs", unit_scale=True, total=total, disable=None) as bar:
        for chunk in sweep.chunks(tried.params):
            jobs = [tried.params[place] for place in chunk]
            if all(place + 1 in done for place in chunk):
                bar.update(sum(map(epochs, jobs)))
                continue
            yield [
                Outcome(place + 1, tried.settings(place), trial.figures, trial.losses, trial.note)
                for place, trial in zip(chunk, sweep.trials(jobs, bar.update), strict=True)
            ]
