"""Calibration of the split-conformal interval on the held-out rows: see exact.conformal.

The residuals are read several times, so that memory does not grow with the rows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.blocks import TableFile
from pipeline.columns.median import Counts, Search, order_statistics
from pipeline.columns.summary import Summary
from pipeline.compute.draws import uniform
from pipeline.exact import conformal
from pipeline.measures import measuring
from pipeline.measures.model_errors import ROWS_AT_A_TIME, Floats, Predictor, predictions
from pipeline.settings import csv_cells, files
from pipeline.settings.params import Params

NUMBERS_IN_MEMORY = 2**21
"""Residuals that are kept; of more the rows are read and predicted again each time."""

Block = tuple[Floats, NDArray[np.int64] | None]
"""y − prediction of some rows, [rows, targets], and how often each row counts, [rows], or None."""

Residuals = Callable[[], Iterable[Block]]
"""Function that reads them block by block, in the order of the rows."""


@dataclass(frozen=True)
class Calibration:
    """Both ends of the interval, to be added to the prediction of each target.

    rows: that it was calibrated on. coverage: the share of the held-out rows that lies in the
    interval of the half that they are not in; None if a half has too few rows.
    """

    rows: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    coverage: float | None

    def around(
        self, fitted: Floats, dtype: str, own_unit: Predictor = lambda fitted: fitted
    ) -> list[list[list[float]]]:
        """Return both ends around predictions [rows, targets]: [rows, targets, 2].

        As the ONNX file computes them: in float64 from fitted numbers of `dtype`, on whose scale
        the residuals are, then in the targets' own units, and rounded once.
        """
        middle = fitted.astype(dtype).astype(np.float64)
        with np.errstate(over="ignore"):
            ends = [own_unit(middle + each).astype(dtype) for each in (self.low, self.high)]
        rounded = np.stack(ends, axis=2)
        return [[csv_cells.shortest(pair) for pair in row] for row in rounded]

    def in_metrics(self, targets: Sequence[str]) -> dict[str, Any]:
        """Return the entry of metrics.json."""
        return {
            "interval": {
                "rows": self.rows,
                "coverage": self.coverage,
                "low": dict(zip(targets, self.low, strict=True)),
                "high": dict(zip(targets, self.high, strict=True)),
            }
        }


def of_held_out(params: Params, summary: Summary, model: measuring.Model) -> Calibration | None:
    """Return the calibration of the interval of `model` on the rows held out.

    None if there are too few, if least squares has an exact interval, and with train.patience: the
    rows held out have chosen the epoch then, so the model has seen them.
    Without a copy of the rows (data.keep_rows) they are those that data/sample.parquet drew. With
    precisions the interval is that of a new row with weight 1; with frequencies each row counts as
    often as it was seen.
    """
    train = params.train
    if train.has_exact_interval or train.patience is not None or not summary.test.rows:
        return None
    features = len(model.plan.encoded_names)

    def of(numbers: Floats, weights: Floats | None) -> Block:
        x, y = numbers[:, :features], numbers[:, features:]
        residuals: Floats = y - predictions(x, model.predict, len(model.targets))
        if weights is None or model.plan.weights is None:
            return residuals, None
        if model.plan.weights.are_frequencies:
            return residuals, weights.astype(np.int64)
        # As precise as a new row of weight 1.
        return residuals * np.sqrt(weights)[:, None], None

    file = TableFile(files.TEST, model.plan, model.targets)

    def blocks() -> Iterator[Block]:
        if file.rows:
            yield from (of(each.values, each.weights) for each in file.blocks(rows=ROWS_AT_A_TIME))
        else:
            rows = measuring.drawn(summary, model.plan, model.targets)["test"]
            yield of(model.numbers(rows), model.plan.weights_of(rows))

    residuals: Residuals = blocks
    if file.rows * len(model.targets) <= NUMBERS_IN_MEMORY:
        kept = [*blocks()]
        residuals = partial(list, kept)
    return calibrated(residuals, len(model.targets), partial(_first_half, params.seed))


def _first_half(seed: int, before: int, rows: int) -> NDArray[np.bool_]:
    return uniform(seed, "interval", before, rows) < 0.5


def calibrated(
    residuals: Residuals, targets: int, halves: Callable[[int, int], NDArray[np.bool_]]
) -> Calibration | None:
    """Return the calibration on held-out rows; None if there are fewer than 19.

    halves: returns True for each row of the first half that the seed draws, from the number of rows
    before these and their number. `residuals` is read six times.
    """
    sizes = [0, 0]
    for _, times, first in _in_halves(residuals, halves):
        for place, half in enumerate((first, ~first)):
            sizes[place] += int((half if times is None else times[half]).sum())
    if sum(sizes) < conformal.FEWEST_ROWS:
        return None
    groups = [each if each >= conformal.FEWEST_ROWS else 0 for each in (sum(sizes), *sizes)]
    ends = _ends(residuals, targets, halves, groups)
    coverage = None
    if all(groups[1:]):
        # The rows of each half, in the interval of the other half.
        covered = 0
        for rows, times, first in _in_halves(residuals, halves):
            for half, (low, high) in ((first, ends[2]), (~first, ends[1])):
                inside = (rows[half] >= low) & (rows[half] <= high)
                covered += int((inside if times is None else inside * times[half, None]).sum())
        coverage = covered / (sum(sizes) * targets)
    low, high = ends[0]
    return Calibration(sum(sizes), tuple(low.tolist()), tuple(high.tolist()), coverage)


def _in_halves(
    residuals: Residuals, halves: Callable[[int, int], NDArray[np.bool_]]
) -> Iterator[tuple[Floats, NDArray[np.int64] | None, NDArray[np.bool_]]]:
    """Yield each block, and True for each of its rows that is in the first half."""
    before = 0
    for rows, times in residuals():
        yield rows, times, halves(before, len(rows))
        before += len(rows)


def _ends(
    residuals: Residuals,
    targets: int,
    halves: Callable[[int, int], NDArray[np.bool_]],
    groups: Sequence[int],
) -> list[tuple[Floats, Floats]]:
    """Return both ends of the interval by each group's residuals: [targets] each.

    groups: number of all rows, and of those of each half; 0 to leave a group out.
    """
    asked = [
        (group, target) for group, size in enumerate(groups) if size for target in range(targets)
    ]

    def count(searches: Sequence[Search]) -> list[Counts]:
        counts = [search.no_counts() for search in searches]
        for rows, times, first in _in_halves(residuals, halves):
            chosen = (slice(None), first, ~first)
            for total, search, (group, target) in zip(counts, searches, asked, strict=True):
                values, counted = rows[chosen[group], target], None
                if times is not None:
                    counted = times[chosen[group]]
                if conformal.is_symmetric(groups[group]):
                    values = np.abs(values)
                total += search.counts(values, counted)
        return counts

    found = order_statistics([conformal.places(groups[group]) for group, _ in asked], count)
    ends = [(np.zeros(targets), np.zeros(targets)) for _ in groups]
    for (group, target), values in zip(asked, found, strict=True):
        low, high = values if len(values) == 2 else (-values[0], values[0])
        ends[group][0][target], ends[group][1][target] = low, high
    return ends
