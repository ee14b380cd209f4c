"""The threshold of the Huber loss, learnt once from the training rows.

1.345 · s, where s is the robust deviation of the residuals of exact least squares: the median of
their sizes, divided by 0.6745, which is the standard deviation if they are normal. With it the loss
loses 5 % of the precision of squared errors on normal errors (Huber 1964; Holland and Welsch 1977).
statsmodels' RLM(y, X, M=HuberT()).fit(update_scale=False) has the same threshold.
"""

from collections.abc import Callable, Iterable

import numpy as np

from pipeline.columns import median
from pipeline.columns.summary import Summary
from pipeline.exact import least_squares
from pipeline.learning.line import Line
from pipeline.learning.loss_function import Floats, LossFunction
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

DEVIATIONS = 1.345
MEDIAN_OF_NORMAL_SIZES = 0.6744897501960817
"""Of a standard normal variable half the values are smaller than this in size."""

SMALLEST_SHARE = 1e-9
"""Of the target's deviation: a threshold below is made of rounding errors alone."""


def loss_function(
    params: Params, summary: Summary, blocks: Callable[[], Iterable[Table]]
) -> LossFunction | None:
    """Return the loss function of train.loss; None for squared errors.

    summary: of the training rows. blocks: reads them, encoded; only huber without a threshold reads
    them, four times.
    Raises UserError if half of the rows or more lie on the least-squares line.
    """
    kind, targets = params.train.loss_kind, summary.targets
    if kind.is_squared:
        return None
    if kind.name != "huber":
        return LossFunction(kind)
    if kind.number is not None:
        return LossFunction(kind, (kind.number,) * len(targets))
    line = _least_squares_line(params, summary)
    deviations = summary.train.gram.deviations()[len(summary.features) :]
    thresholds = []
    for place, (target, deviation) in enumerate(zip(targets, deviations.tolist(), strict=True)):
        middle = _median_size(line, summary, blocks, place)
        threshold = DEVIATIONS * (middle / MEDIAN_OF_NORMAL_SIZES)
        if threshold <= SMALLEST_SHARE * deviation or not threshold:
            raise UserError(
                f"train.loss: found huber, but at least half of the training rows lie on the"
                f" least-squares line of {target}, so nothing tells a large error; give a threshold"
                " in its unit, such as huber:1.5, or set train.loss to squared"
            )
        thresholds.append(threshold)
    return LossFunction(kind, tuple(thresholds))


def _least_squares_line(params: Params, summary: Summary) -> Line:
    features = summary.features
    fit = least_squares.fit(
        *(summary.train.gram, features, summary.targets, params.model.bias),
        summary.roundoff(features),
    ).without_nearly_dependent()
    return Line(fit.weight, fit.bias, np.zeros(len(features)))


def _median_size(
    line: Line, summary: Summary, blocks: Callable[[], Iterable[Table]], place: int
) -> float:
    """Return the median of the sizes of the residuals of one target. place: of the target."""

    def sizes(block: Table) -> Floats:
        predicted = line.predict(block.columns(summary.features))[:, place]
        residuals: Floats = np.abs(block.columns(summary.targets)[:, place] - predicted)
        return residuals

    def count(search: median.Search) -> median.Counts:
        counted = search.no_counts()
        for block in blocks():
            times = None
            if summary.train.standing is not None and block.weights is not None:
                times = block.weights.astype(np.int64)  # each counts as the rows it stands for
            counted += search.counts(sizes(block), times)
        return counted

    return median.median(summary.train.rows, count)
