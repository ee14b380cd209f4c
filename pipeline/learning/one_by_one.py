"""One configuration of a sweep, trained as the stage `train` does it, and measured."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from fractions import Fraction
from io import StringIO

import numpy as np
from torch import nn

from pipeline.columns.blocks import TableFile
from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.exact.exact_sum import weighted_sum
from pipeline.exact.rounding import nearest
from pipeline.exact.squared_error import squared_error
from pipeline.learning import (
    chosen_penalties,
    exact_folds,
    fold_checks,
    huber_threshold,
    training,
    weights,
)
from pipeline.learning.descents import kept_epochs
from pipeline.learning.fold_parts import of_fold
from pipeline.learning.line import Line
from pipeline.learning.outcomes import Trial, of_folds
from pipeline.learning.prediction import line_of, predict
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def can_be_cross_validated(params: Params) -> bool:
    """True if a configuration can be trained for each fold from the summary alone.

    Networks, mini-batches and a loss other than squared errors need the rows of a fold, and early
    stopping needs rows to watch.
    """
    train = params.train
    from_sums = train.batch_size is None and train.loss_kind.is_squared
    return params.model.is_linear and from_sums and train.patience is None


def trial(params: Params, summary: Summary, rows: TableFile, held_out: TableFile) -> Trial:
    """Train one configuration; return what became of it. A fit that fails is noted, not raised."""
    penalties = None
    try:
        with _quiet():
            if params.train.is_least_squares:
                penalties = chosen_penalties.choose(params, summary).penalties
            module, history = training.train(
                params, rows, held_out, summary=summary, penalties=penalties
            )
            shipped = _as_saved(params, module, summary)
    except UserError as error:
        return Trial(note=_reason(error))
    kept = kept_epochs(len(history))
    losses = [(epoch, loss) for epoch, (loss, _) in enumerate(history, 1) if epoch in kept]
    line = line_of(shipped)
    sides = [("train", summary.train, rows), ("test", summary.test, held_out)]
    figures: dict[str, float] = {}
    for name, part, table in sides:
        if part.rows:
            square = _of_line(line, part) if line else _of_rows(shipped, table, summary)
            figures |= {f"{name}.{key}": v for key, v in _figures(square, part, summary).items()}
    loss = _loss(params, summary, figures.get("train.rmse", math.inf), shipped, rows)
    if math.isfinite(loss):
        figures["train.loss"] = loss
    note = ""
    if (reason := fold_checks.too_few_rows(params, summary)) is not None:
        note = reason
    elif penalties is not None:
        figures |= of_folds(exact_folds.figures(params, summary, penalties))
    elif can_be_cross_validated(params):
        try:
            figures |= _cross_validated(params, summary, rows, held_out)
        except UserError as error:
            note = f"{_reason(error)} on the training rows of a fold"
    return Trial(figures, losses, note)


def _cross_validated(
    params: Params, summary: Summary, rows: TableFile, held_out: TableFile
) -> dict[str, float]:
    """Return the figures of the fits to the training rows of each fold, on its test rows."""
    # The rows themselves do not say which part they are of; the sums do.
    train = params.train.model_copy(update={"reduce_rows": True})
    params = params.model_copy(update={"train": train})
    by_fold = []
    for fold in summary.folds_with_rows:
        with _quiet():
            module, _ = training.train(params, rows, held_out, summary=of_fold(summary, fold))
            line = line_of(_as_saved(params, module, summary))
        assert line is not None
        by_fold.append(_figures(_of_line(line, fold.test), fold.test, summary))
    return of_folds(by_fold)


def _as_saved(params: Params, module: nn.Module, summary: Summary) -> nn.Module:
    """Return the module as its file has it, with parameters of model.dtype."""
    state = weights.rounded(module, weights.DTYPES[params.model.dtype])
    return weights.from_state(state, params.model, len(summary.features), len(summary.targets))


def _of_line(line: Line, part: Part) -> float:
    """Return the sum of the squared errors of a line."""
    by_target = squared_error(part.gram, line.weight, line.bias, line.centre)
    return nearest(sum(by_target, Fraction(0)), "float64")


def _of_rows(module: nn.Module, table: TableFile, summary: Summary) -> float:
    """Return the sum of the squared errors of any module."""
    total = 0.0
    for block in table.blocks():
        x, y = block.columns(summary.features), block.columns(summary.targets)
        squares = np.square(predict(module, x) - y)
        weights = 1.0 if block.weights is None else block.weights[:, None]
        total += float((squares * weights).sum())
    return total


def _loss(
    params: Params, summary: Summary, rmse: float, shipped: nn.Module, rows: TableFile
) -> float:
    """Return the loss of the finished model on the training rows. rmse: its error there."""
    size = float(summary.train.weight * len(summary.targets))
    function = huber_threshold.loss_function(params, summary, rows.blocks)
    mean = rmse * rmse
    if function is not None:
        total = Fraction(0)
        for block in rows.blocks():
            x, y = block.columns(summary.features), block.columns(summary.targets)
            total += weighted_sum(function.of(y - predict(shipped, x)), block.weights)
        mean = float(total) / size
    return mean * (size if params.train.reduction == "sum" else 1)


def _figures(square: float, part: Part, summary: Summary) -> dict[str, float]:
    """Return rmse and r2 as metrics.json defines them, where they are finite.

    No r2 if the targets are constant, or if their variation is beyond float64.
    """
    variation = nearest(part.variation_of_targets(len(summary.features)), "float64")
    figures = {"rmse": math.sqrt(square / float(part.weight * len(summary.targets)))}
    if 0 < variation < math.inf:
        figures["r2"] = 1 - square / variation
    return {name: figure for name, figure in figures.items() if math.isfinite(figure)}


def _reason(error: UserError) -> str:
    """Return what went wrong, without the advice."""
    return str(error).splitlines()[0].partition("; ")[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what a training prints: a sweep has a line for each configuration."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield
