"""Configurations that Optuna suggests: asked for and answered in batches of a fixed size.

Optuna is an extra (`pip install -e '.[optuna]'`), and this is the only module that imports it.
"""

import math
from collections.abc import Sequence
from decimal import Context, Decimal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial, TrialState

from pipeline.learning.outcomes import METRICS
from pipeline.settings import seeds
from pipeline.settings.ranges import DIGITS, Range, Span
from pipeline.settings.search_space import SearchSpace, Values

BATCH = 16
"""Configurations that are asked for before the first of them is answered. A sweep that trains them
at once, and one that trains them one after another, thus learn the same."""

SAMPLER = "TPESampler"

DIGITS_TOLD = 5
"""Of a metric. Trained beside others a configuration has other last bits than alone: they must not
decide which of two is better, and what is suggested next."""


class Suggestions:
    """The suggestions for one sweep."""

    def __init__(self, space: SearchSpace, metric: str) -> None:
        self.space, self.metric = space, metric
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        seed = int(seeds.stream(space.seed, "optuna").integers(2**32))
        # The first batch is drawn: nothing is known when it is asked for.
        sampler = optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=BATCH, multivariate=True, constant_liar=True
        )
        self._study = optuna.create_study(sampler=sampler)
        self._distributions = {
            each.key: _distribution(each, whole=each.key in space.whole) for each in space.ranges
        }
        self._asked: list[Trial] = []

    @property
    def description(self) -> str:
        """The words for the run of the sweep."""
        return (
            f"suggested by Optuna {optuna.__version__}: {SAMPLER}, seed {self.space.seed}, in"
            f" batches of {BATCH}"
        )

    def ask(self, count: int) -> list[Values]:
        """Return the values of the next configurations. Each `ask` must be answered by `tell`."""
        assert not self._asked
        self._asked = [self._study.ask(self._distributions) for _ in range(count)]
        return [
            tuple(self._value(each, trial) for each in self.space.ranges) for trial in self._asked
        ]

    def tell(self, figures: Sequence[float | None]) -> None:
        """Answer with the metric of each configuration, in order; None if it has none."""
        for trial, figure in zip(self._asked, figures, strict=True):
            loss = None if figure is None else self._loss(figure)
            # Not FAIL: TPE takes no notice of a trial that failed, and suggests its like again (26
            # of 64 in the mean of nine sweeps); one that was pruned is behind all others (18).
            self._study.tell(trial, loss, TrialState.PRUNED if loss is None else None)
        self._asked = []

    def _value(self, swept: Range, trial: Trial) -> object:
        value = trial.params[swept.key]
        if not isinstance(swept.values, Span):
            return swept.values[value]
        return value if isinstance(value, int) else _rounded(value, DIGITS)

    def _loss(self, figure: float) -> float | None:
        """Return what is to be as small as possible; None if it is not finite."""
        loss = figure if METRICS[self.metric] > 0 else 1 - figure
        return _rounded(loss, DIGITS_TOLD) if math.isfinite(loss) else None


def _distribution(swept: Range, *, whole: bool) -> BaseDistribution:
    if not isinstance(swept.values, Span):
        # Places in the list: to Optuna, as to Python, 1 and true are the same value.
        return CategoricalDistribution(range(len(swept.values)))
    low, high = swept.ends(whole=whole)
    is_log = swept.values.is_log
    return IntDistribution(low, high, is_log) if whole else FloatDistribution(low, high, is_log)


def _rounded(number: float, digits: int) -> float:
    return float(Context(prec=digits).create_decimal(Decimal(number)))
