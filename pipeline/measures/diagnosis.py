"""What is asked of the training rows to diagnose the reference, and whether it can be asked."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.compute import clusters
from pipeline.compute.clusters import Clusters
from pipeline.compute.value_counts import Days
from pipeline.exact.cluster_sums import ClusterSums
from pipeline.exact.least_squares import Fit
from pipeline.exact.row_pass import RowPass
from pipeline.exact.row_sums import Diagnosed, RowSums
from pipeline.learning import fit_messages
from pipeline.learning.line import Line
from pipeline.settings import files
from pipeline.settings.keys.weight_settings import Weights
from pipeline.settings.params import Data
from pipeline.tables import row_groups, table

MOST_COLUMNS = 300
"""Of more independent columns a row's leverage costs more than everything else of `evaluate`."""


@dataclass(frozen=True)
class Diagnosis:
    """A fit that its training rows are held against.

    exact: the targets that are fitted exactly, or as exactly as rounding lets. clusters: of the
    rows, if they are asked for, with sums for each target. time_column: the column of dates by
    which rows are held out or folds are made; is_in_order: False if the rows are in another order.
    weights: of the rows.
    """

    fit: Fit
    diagnosed: Diagnosed
    exact: frozenset[str]
    clusters: Clusters | None = None
    cluster_sums: tuple[ClusterSums, ...] = ()
    time_column: str | None = None
    is_in_order: bool = True
    weights: Weights | None = None

    def row_pass(self) -> RowPass:
        """Return a pass over some training rows."""
        return RowPass(self.diagnosed, self.cluster_sums)

    def add(self, one: RowPass, rows: pa.Table, numbers: NDArray[np.float64], before: int) -> None:
        """Add a block to a pass. rows: typed; numbers: encoded columns, then targets."""
        width = len(self.fit.features)
        of_clusters = None if self.clusters is None else self.clusters.of(rows)
        own = None if self.weights is None else table.numbers(rows.column(self.weights.by))
        one.add(numbers[:, :width], numbers[:, width:], before, of_clusters, own)

    @property
    def no_rows(self) -> RowSums:
        """The sums of no rows."""
        return RowSums.of_no_rows(self.diagnosed)


@dataclass(frozen=True)
class Asked:
    """The diagnosis of a fit, or the key of the reason why there is none.

    formulas: a sentence for each target that is a combination of the features.
    """

    formulas: Mapping[str, str]
    diagnosis: Diagnosis | None
    reason: str | None = None


def asked(
    fit: Fit,
    data: Data,
    line: Line | None,
    fitted_names: Sequence[str] | None = None,
    path: Path = files.TRAIN,
) -> Asked:
    """Return the diagnosis of a fit, if its rows can say anything about it.

    line: the model, if it is linear. fitted_names: see `fit_messages.exact_targets`. path: of the
    training rows.
    Raises UserError if errors are to be clustered and all rows are of one cluster.
    """
    formulas = fit_messages.exact_targets(fit, fitted_names)
    perfect = zip(fit.targets, fit.equations.perfect, strict=True)
    exact = frozenset(formulas) | {target for target, is_perfect in perfect if is_perfect}
    if line is None:
        return Asked(formulas, None, "not_linear")
    if not fit.degrees_of_freedom:
        return Asked(formulas, None, "no_degrees_of_freedom")
    if len(exact) == len(fit.targets):
        return Asked(formulas, None, "exact_fit")
    if not sum(row_groups.sizes_in(path)):
        return Asked(formulas, None, "rows_not_kept")
    if fit.rank > MOST_COLUMNS:
        return Asked(formulas, None, "many_columns")
    return Asked(formulas, _prepared(fit, data, exact, path))


def _prepared(fit: Fit, data: Data, exact: frozenset[str], path: Path) -> Diagnosis:
    """Return the diagnosis of a fit. Raises UserError as `asked`."""
    diagnosed = Diagnosed.of(fit, None if data.weights is None else data.weights.kind)
    known: Clusters | None = None
    sums: tuple[ClusterSums, ...] = ()
    if data.clusters is not None:
        known = clusters.of_table(path, data.clusters)
        sizes = known.number, diagnosed.coordinates
        sums = tuple(ClusterSums(*sizes) for _ in fit.targets)
    of_time = [each.by for each in data.chosen_by.values() if each.gap is not None]
    column = of_time[0] if of_time else None
    in_order = column is None or _is_ascending(path, column)
    return Diagnosis(fit, diagnosed, exact, known, sums, column, in_order, data.weights)


def _is_ascending(path: Path, name: str) -> bool:
    """Return True if the dates in a column of a table never fall."""
    ends: list[np.int64] = []
    for values in row_groups.column(path, name):
        days = Days(name).of(pa.table({name: values}))
        if len(days):
            if (np.diff(days) < 0).any():
                return False
            ends += [days[0], days[-1]]
    return all(first <= second for first, second in itertools.pairwise(ends))
