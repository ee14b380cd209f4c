"""The linear model with the smallest Huber or quantile loss, exactly: `train.optimizer: exact`."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial

import numpy as np
from torch import nn

from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.exact import cores, huber, least_squares, quantile
from pipeline.exact.exact_sum import weighted_sum
from pipeline.exact.least_squares import Fit
from pipeline.learning import closed_form, exact_solution, fit_messages
from pipeline.learning.line import Line
from pipeline.learning.loop import OnEpoch
from pipeline.learning.loss_function import LossFunction
from pipeline.learning.progress import Losses
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Blocks = Callable[[], Iterable[Table]]
"""Function that reads the encoded rows of a table, block by block."""


def solve(
    params: Params,
    summary: Summary,
    function: LossFunction,
    rows: Blocks,
    held_out: Blocks | None,
    on_epoch: OnEpoch,
) -> tuple[nn.Module, list[Losses]]:
    """Return the model with the smallest loss, rounded once to model.dtype.

    rows: read some ten times for each target. held_out: None if no row is held out. The losses are
    those of one epoch. Raises UserError as `closed_form.solve`, and if no minimum is found.
    """
    features = summary.features
    fit_messages.announce(len(features))
    start = exact_solution.least_squares_solution(params, summary)
    kept = [name for name in features if name not in start.dropped]
    mean, centre = closed_form.centre_of(params, summary)
    places = [features.index(name) for name in kept]
    weight = np.zeros((len(summary.targets), len(features)), params.model.dtype)
    bias = np.zeros(len(summary.targets), params.model.dtype)
    for number, target in enumerate(summary.targets):
        columns = [1 + place for place in places]
        gram = summary.train.gram.chosen([0, *columns, 1 + len(features) + number])
        plain = least_squares.fit(gram, kept, [target], params.model.bias)
        try:
            fitted = _minimum(function, number, partial(_columns, rows, [*kept, target]), plain)
        except (huber.NotConvergedError, quantile.NotConvergedError):
            raise UserError(
                f"train.loss: found {params.train.loss}, for which exact finds no minimum of"
                f" {target} in {huber.MOST_ROUNDS} rounds; set train.optimizer to lbfgs or adam, or"
                " train.loss to squared"
            ) from None
        own_centre = None if centre is None else centre[places]
        weight[number, places], (bias[number],) = (
            each[0] if each.ndim > 1 else each
            for each in fitted.shipped(params.model.dtype, own_centre)
        )
    module = closed_form.module_of(params, weight, bias, mean)
    line = Line(
        weight.astype(np.float64),
        bias.astype(np.float64),
        np.zeros(len(features)) if centre is None else centre,
    )
    losses = (
        _loss(params, summary, line, function, rows, summary.train),
        None
        if held_out is None
        else _loss(params, summary, line, function, held_out, summary.test),
    )
    on_epoch(1, *losses)
    return module, [losses]


def _minimum(
    function: LossFunction, number: int, rows: Callable[[], Iterable[huber.Rows]], start: Fit
) -> Fit:
    """Return the fit of one target with the smallest loss. number: of the target."""
    with cores.one_blas_thread():
        if function.kind.name == "huber":
            (target,) = start.targets
            threshold = function.thresholds[number]
            return huber.minimum(rows, start.features, target, start.intercept, threshold, start)
        # The share as it is written: 0.9 is 9/10.
        share = (
            Fraction(1, 2) if function.kind.share is None else Fraction(str(function.kind.share))
        )
        return quantile.minimum(rows, share, start)


def _columns(rows: Blocks, names: list[str]) -> Iterator[huber.Rows]:
    for block in rows():
        yield block.columns(names), block.weights


def _loss(
    params: Params,
    summary: Summary,
    line: Line,
    function: LossFunction,
    rows: Blocks,
    part: Part,
) -> float:
    """Return the loss of the model on rows. part: their sums."""
    total = Fraction(0)
    for block in rows():
        errors = block.columns(summary.targets) - line.predict(block.columns(summary.features))
        total += weighted_sum(function.of(errors), block.weights)
    size = part.weight * len(summary.targets) if params.train.reduction == "mean" else 1
    return float(total / size)
