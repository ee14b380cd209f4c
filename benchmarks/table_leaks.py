"""Measure what leaks from a fold into the fit that answers it: part of `make bench`.

The numbers that fill gaps and the levels of categories are learnt from all training rows, and so
from the rows of each fold, too. Here they are learnt anew for each fold from the other folds alone,
the table is encoded again, and the same exact fits follow: without a penalty, and with the 100
values of `train.l2: cv`. The root mean square error of the folds stands beside `cv.rmse.mean` of
the sums in data/summary.json; and beside the error of nested cross-validation, in which the other
folds alone have chosen the penalty (Varma and Simon, *Bias in error estimation when using
cross-validation for model selection*, BMC Bioinformatics 7, 2006). Tables that ship in packages,
those with gaps or categories.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rounds import arguments
from shipped_tables import ShippedTable, install, tables, write
from table_penalties import CPU_SECONDS, MOST_COLUMNS, MOST_ROWS
from table_sums import SummedTable, described, summed
from tables import in_child

from pipeline.columns import learn
from pipeline.columns import statistics as column_statistics
from pipeline.columns.column import EmptyColumnError
from pipeline.columns.plan import Plan
from pipeline.compute.draws import uniform
from pipeline.exact.correlations import Correlations
from pipeline.exact.cross_validation import cross_validate
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalties import Penalty, solve
from pipeline.exact.penalty_path import paths
from pipeline.exact.unrounded_error import mean_squared_errors
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import CategorySettings, ColumnSettings

PLAIN = Penalty()
Floats = NDArray[np.float64]


class Errors(NamedTuple):
    """Root mean square errors of the folds, mean over the folds.

    ridge: with the penalty that has the smallest error, the one at place `chosen` of the path.
    """

    plain: float
    ridge: float
    chosen: int

    @classmethod
    def of(cls, mse: Floats) -> "Errors":
        """Return the errors. mse: [penalties, folds], of the path, then without a penalty."""
        chosen = int(np.argmin(mse[:-1].mean(axis=1)))
        plain, ridge = (float(np.sqrt(mse[place]).mean()) for place in (-1, chosen))
        return cls(plain, ridge, chosen)


class Line(NamedTuple):
    """A table's errors: fills and levels learnt from all training rows, and for each fold.

    nested: with a penalty that the other folds have chosen, fills and levels from all rows.
    """

    source: str
    size: str
    shared: Errors
    own: Errors
    nested: float


def refitted(table: SummedTable, train: pa.Table) -> Plan:
    """Return the plan learnt from some training rows alone.

    A level that they do not have is answered as the reference, which is what a weight of 0 does in
    the fit with levels from all rows. Raises EmptyColumnError if a column has no value there.
    """
    columns = []
    for name, settings in table.settings.data.columns.items():
        own: ColumnSettings = settings
        if isinstance(settings, CategorySettings) and settings.unseen_or_default == "refuse":
            own = settings.model_copy(update={"unseen": "reference"})
        values = train.column(name)
        count = column_statistics.count_in(partial(_one_block, train))
        columns.append(learn.column(name, own, column_statistics.of_column(own, values), count))
    return table.plan.model_copy(update={"columns": tuple(columns)})


def _one_block(rows: pa.Table, name: str) -> list[pa.ChunkedArray]:
    return [rows.column(name)]


def errors_by_fold(table: SummedTable, penalties: Sequence[Penalty]) -> Iterator[list[float]]:
    """Yield the mean squared error of each penalty for each fold with rows, by its own plan."""
    settings = table.settings
    rows = pq.read_table(files.TRAIN)
    number = len(table.summary.parts)
    folds = (uniform(settings.seed, "folds", 0, len(rows)) * number).astype(int)
    for fold in range(number):
        train, test = rows.filter(pa.array(folds != fold)), rows.filter(pa.array(folds == fold))
        if not test.num_rows:
            continue
        plan = refitted(table, train)
        numbers = [plan.numbers(part, settings.data.targets) for part in (train, test)]
        if any(np.isnan(each).any() for each in numbers):
            raise EmptyColumnError
        of_train, of_test = map(gram_matrix, numbers)
        target = numbers[0].shape[1]
        correlations = Correlations(of_train, target - 1, [target], settings.model.bias)
        roundoff = [0.0 if name in plan.exact else 2.0**-53 for name in plan.encoded_names]
        yield mean_squared_errors(of_test, target, solve(correlations, target, penalties, roundoff))


def nested(table: SummedTable, path: Sequence[Penalty], mse: Floats) -> float:
    """Return the mean over the folds of the root mean square error of a nested choice.

    mse: [penalties, folds] of the path, each fold by a fit to the others.
    """
    grams = [part.gram for part in table.summary.parts if part.rows]
    of_table = table.summary.features, table.summary.targets, table.settings.model.bias
    errors = []
    for fold in range(len(grams)):
        (scores,) = cross_validate([*grams[:fold], *grams[fold + 1 :]], *of_table, [path])
        errors.append(float(np.sqrt(mse[scores.best, fold])))
    return float(np.mean(errors))


def measure(shipped: ShippedTable) -> Line | str:
    """Return a line, or why the table has none. Changes the working folder."""
    with tempfile.TemporaryDirectory() as name:
        try:
            file, folder = write(shipped, Path(name)), Path(name) / "job"
            described(file, shipped.target, folder, shipped.aside)
            table = summed(0)
        except UserError as error:
            return str(error).splitlines()[0]
        summary = table.summary
        rows, columns = summary.train.rows, len(summary.features)
        if rows > MOST_ROWS or columns > MOST_COLUMNS:
            return f"{rows:,} × {columns} are left out"
        if not any(column.takes_gaps or column.kind == "category" for column in table.plan.columns):
            return "neither gaps nor categories"
        of_table = summary.features, summary.targets, table.settings.model.bias
        (path,) = paths(summary.train.gram, *of_table, 0.0, "cv")
        grams = [part.gram for part in summary.parts]
        roundoff = summary.roundoff(summary.features)
        (shared,) = cross_validate(grams, *of_table, [(*path, PLAIN)], roundoff)
        try:
            own = np.array(list(errors_by_fold(table, [*path, PLAIN]))).T
        except EmptyColumnError:
            return "a column has no value, or a date no level, without one of the folds"
        of_nested = nested(table, path, shared.mse[:-1])
    size = f"{rows:,} × {columns}"
    return Line(shipped.source, size, Errors.of(shared.mse), Errors.of(own), of_nested)


def differences(lines: list[Line]) -> Iterator[str]:
    """Yield the rows of a table: how far the error is off that has seen the rows of the fold."""
    yield "| cv.rmse, relative difference | median | 90 % within | largest |"
    yield "|---|---|---|---|"
    of_ways = {
        "no penalty, to learnt per fold": [(line.shared.plain, line.own.plain) for line in lines],
        "`l2: cv`, to learnt per fold": [(line.shared.ridge, line.own.ridge) for line in lines],
        "`l2: cv`, to chosen without the fold": [
            (line.shared.ridge, line.nested) for line in lines
        ],
    }
    for way, pairs in of_ways.items():
        relative = [shared / own - 1 for shared, own in pairs if own]
        sizes = np.abs(relative)
        yield (
            f"| {way} | {np.median(sizes):.1e} | {np.percentile(sizes, 90):.1e} |"
            f" {max(relative, key=abs):+.1e} |"
        )


def main() -> None:
    """Run every table; print a line for each, and the median and the largest difference."""
    parser = arguments(__doc__ or "", rounds=1)
    parser.add_argument("--only", default="", help="only tables whose name has this text in it")
    parser.add_argument("--every", type=int, default=1, help="only one table in so many (1)")
    asked = parser.parse_args()
    install()
    names = "table", "rows × columns", "no penalty", "per fold", "l2: cv", "per fold", "nested"
    print(f"| {' | '.join(names)} | steps of l2 |\n{'|---' * 8}|")
    lines = []
    for shipped in [table for table in tables() if asked.only in table.source][:: asked.every]:
        line = in_child(CPU_SECONDS, measure, shipped)
        if isinstance(line, Line):
            lines.append(line)
            shared, own = line.shared, line.own
            errors = shared.plain, own.plain, shared.ridge, own.ridge, line.nested
            numbers = " | ".join(f"{error:.6g}" for error in errors)
            steps = own.chosen - shared.chosen
            print(f"| {line.source} | {line.size} | {numbers} | {steps} |", flush=True)
        else:
            print(f"without {shipped.source}: {line or 'out of time or memory'}", file=sys.stderr)
    if not lines:
        sys.exit("error: no table is left")
    same = sum(line.shared.chosen == line.own.chosen for line in lines)
    print(f"\n{len(lines)} tables; the same l2 in {same}\n")
    print("\n".join(differences(lines)))


if __name__ == "__main__":
    main()
