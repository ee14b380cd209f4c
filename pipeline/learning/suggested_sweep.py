"""A sweep whose configurations Optuna suggests, from what it is told of those before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from pipeline.learning import trained_sweep
from pipeline.learning.outcomes import Outcome
from pipeline.learning.suggestions import BATCH, Suggestions
from pipeline.learning.sweep_trainer import SweepTrainer
from pipeline.settings import configurations, params, search_space
from pipeline.settings.configurations import Configurations, ToSuggest
from pipeline.settings.params import Params
from pipeline.settings.search_space import Values


@dataclass(frozen=True)
class _Asked:
    """A configuration that was asked for. contradiction: why it is left out, or ""."""

    values: Values
    job: Params
    contradiction: str


class SuggestedSweep:
    """A number of configurations, suggested batch by batch."""

    def __init__(self, asked: ToSuggest, metric: str) -> None:
        self.space, self.count, self.metric = asked.space, asked.count, metric
        self._suggestions = Suggestions(asked.space, metric)
        self.keys, self.command = asked.space.keys, asked.command
        self.description = self._suggestions.description

    @property
    def depends_on(self) -> tuple[Any, ...]:
        """What the figures depend on, beside the job and its data."""
        ranges = [(each.key, each.text) for each in self.space.ranges]
        return self.description, self.count, self.metric, ranges

    def chunks(self, done: Mapping[int, Outcome]) -> Iterator[list[Outcome]]:
        """Return an iterator that trains a chunk of a batch at each step: see ListedSweep.chunks.

        What is done is told to Optuna and not trained again: what it suggests next is the same.
        """
        jobs = configurations.extremes(self.space).params
        return self._batches(trained_sweep.trainer(jobs, self.metric), done)

    def _batches(self, sweep: SweepTrainer, done: Mapping[int, Outcome]) -> Iterator[list[Outcome]]:
        tried: dict[Values, Outcome] = {}
        left_out: list[str] = []
        with tqdm(desc="sweep", unit=" configurations", total=self.count, disable=None) as bar:
            for start in range(0, self.count, BATCH):
                asked = self._ask(min(BATCH, self.count - start))
                new = {
                    each.values: each.job
                    for each in asked
                    if not each.contradiction and each.values not in tried
                }
                first = len(tried) + 1
                outcomes = {
                    number: done[number]
                    for number in range(first, first + len(new))
                    if number in done
                }
                batch = Configurations(self.space.keys, tuple(new), tuple(new.values()))
                for chunk in trained_sweep.chunks(sweep, batch, done, first):
                    yield chunk
                    outcomes |= {each.number: each for each in chunk}
                tried |= {values: outcomes[number] for number, values in enumerate(new, first)}
                self._tell(asked, tried)
                left_out += [each.contradiction for each in asked if each.contradiction]
                bar.update(len(asked))
        for text, number in search_space.counted(left_out).items():
            print(f"left out: {number} × {text}")

    def _ask(self, count: int) -> list[_Asked]:
        asked = []
        for values in self._suggestions.ask(count):
            job, contradiction = self.space.job(values)
            flat = params.flatten(job)
            asked.append(_Asked(tuple(flat[key] for key in self.space.keys), job, contradiction))
        return asked

    def _tell(self, asked: list[_Asked], tried: Mapping[Values, Outcome]) -> None:
        self._suggestions.tell(
            [
                None if each.contradiction else tried[each.values].figures.get(self.metric)
                for each in asked
            ]
        )
