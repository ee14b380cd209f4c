"""The rows that move the reference most: influence.csv."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline.exact.influence import MOST_ROWS
from pipeline.measures.diagnostics import Diagnostics
from pipeline.settings import csv_cells, files
from pipeline.tables import source_numbers

HEADER = (
    "target",
    "file",
    "row",
    "actual",
    "predicted",
    "residual",
    "leverage",
    "cooks_distance",
    "studentized_residual",
)
NOTHING_LEFT = 1e-12
"""Without a row no residual is left if no more than this share of their squares is."""


def write(diagnostics: Diagnostics) -> None:
    """Write reports/influence.csv. Raises UserError as `rows`."""
    csv_cells.write_csv(files.INFLUENCE, HEADER, rows(diagnostics))


def rows(diagnostics: Diagnostics) -> Iterator[list[Any]]:
    """Yield the rows of influence.csv: for each target the rows with the largest Cook's distances.

    Then the first rows whose leverage is 1, which have no Cook's distance, because without them
    there is no such fit. file and row are the place in the user's table, as messages have it; the
    file is empty if the rows were made. A figure that does not exist is None. With precisions all
    but the residual are of the row times the root of its weight; with frequencies they are of one
    of the equal rows.
    Raises UserError if data/source_rows.parquet is missing, damaged or of other rows.
    """
    diagnosis, sums = diagnostics.diagnosis, diagnostics.sums
    if diagnosis is None or sums is None:
        return
    fit, alone = diagnosis.diagnosed, sums.alone
    without = alone.places[:MOST_ROWS].tolist()
    for target, name in enumerate(diagnostics.fit.targets):
        if name in diagnosis.exact:
            continue
        most = sums.targets[target].influential
        is_ranked = ~np.isin(most.places, alone.places)
        places = [*most.places[is_ranked].tolist(), *without]
        found = iter(source_numbers.read(places))
        for cooks, actual, residual, leverage, root in zip(
            most.cooks[is_ranked].tolist(),
            most.actual[is_ranked].tolist(),
            most.residual[is_ranked].tolist(),
            most.leverage[is_ranked].tolist(),
            most.root[is_ranked].tolist(),
            strict=True,
        ):
            error = math.ldexp(residual, fit.units[target]) / root
            yield [
                *(name, *next(found), actual, actual - error, error, leverage, cooks),
                studentized(residual, leverage, fit.squares[target], fit.degrees_of_freedom - 1),
            ]
        for actual, place in zip(alone.actual[:MOST_ROWS, target].tolist(), found, strict=True):
            yield [name, *place, actual, actual, 0.0, 1.0, None, None]


def studentized(residual: float, leverage: float, squares: float, freedom: int) -> float | None:
    """Return a residual over its standard error by the fit to the other rows.

    squares: the sum of the squares of all residuals. freedom: without the row.
    """
    left = squares - residual * residual / (1 - leverage)
    if freedom < 1 or left <= NOTHING_LEFT * squares:
        return None
    return residual / math.sqrt(left / freedom * (1 - leverage))
