"""Loss of the best answer that is the same for every row: of absolute errors and of quantiles.

A model is of use if its loss is smaller (Koenker and Machado, *Goodness of fit and related
inference processes for quantile regression*, JASA 94, 1999).
"""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.plan import Plan
from pipeline.columns.sample import Sample
from pipeline.columns.summary import Summary
from pipeline.exact.exact_sum import exact_sum
from pipeline.settings.keys.train_settings import LossKind
from pipeline.tables import table


def losses(
    kind: LossKind, plan: Plan, summary: Summary, sample: Sample, targets: Sequence[str]
) -> dict[str, float]:
    """Return the mean loss of the best constant answer, of `train` and of `test`.

    In the targets' own units. Nothing for other losses, for rows with weights, for quantiles of
    logarithms, and where the sample does not have every row.
    """
    share = 0.5 if kind.name == "absolute" else kind.share
    if share is None or plan.weights is not None or (plan.target_scales and kind.share is not None):
        return {}
    sides = {
        "train": (sample.training, summary.train.table_rows),
        "test": (sample.test, summary.test.table_rows),
    }
    times = 2 if kind.name == "absolute" else 1  # the loss of a median is half the absolute error
    found = {}
    for side, (rows, of) in sides.items():
        if rows.num_rows == of and of:
            loss = times * mean_loss(rows, targets, share)
            if math.isfinite(loss):
                found[side] = loss
    return found


def mean_loss(rows: pa.Table, targets: Sequence[str], share: float) -> float:
    """Return the mean quantile loss of answering each target with its quantile of these rows."""
    total = sum(
        (exact_sum(_losses(table.numbers(rows.column(name)), share)) for name in targets),
        start=exact_sum(np.zeros(0)),
    )
    try:
        return float(total / (rows.num_rows * len(targets)))
    except OverflowError:
        return math.inf


def _losses(values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the quantile loss of each value at the smallest value that the share is not above."""
    place = max(math.ceil(share * len(values)) - 1, 0)
    errors = values - np.sort(values)[place]
    losses: NDArray[np.float64] = np.where(errors > 0, share * errors, (share - 1) * errors)
    return losses
