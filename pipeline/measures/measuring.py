"""One pass over the training rows and the rows held out: the errors that the model makes there."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.columns.part import Part
from pipeline.columns.plan import Plan
from pipeline.columns.sample import CURE, read_sample
from pipeline.columns.summary import Summary
from pipeline.compute import own_rows
from pipeline.compute.draws import Side
from pipeline.compute.mapping import reduced
from pipeline.compute.pool import MOST_THREADS, threads
from pipeline.compute.summarize import Fragment
from pipeline.exact import cores
from pipeline.exact.row_sums import RowSums
from pipeline.learning.loss_function import LossFunction
from pipeline.measures.diagnosis import Diagnosis
from pipeline.measures.model_errors import ROWS_AT_A_TIME, Errors, Floats, InOwnUnit, Predictor
from pipeline.measures.split import Split
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import row_groups as groups
from pipeline.tables import table
from pipeline.tables.table import ROWS_PER_ROW_GROUP

PATHS: dict[Side, Path] = {"train": files.TRAIN, "test": files.TEST}


@dataclass(frozen=True)
class Model:
    """A model with what it needs of a row.

    is_line: True for a linear model, which several threads may ask at a time. loss_function: of
    train.loss; None for squared errors. diagnosis: of the reference, which is held against the same
    training rows.
    """

    plan: Plan
    targets: tuple[str, ...]
    predict: Predictor
    is_line: bool
    loss_function: LossFunction | None = None
    diagnosis: Diagnosis | None = None

    @property
    def no_errors(self) -> Errors:
        """Errors of no rows. The squared errors of a line follow from the summary."""
        columns = len(self.plan.encoded_names) + len(self.targets)
        return Errors.of_no_rows(
            *(columns, len(self.targets)),
            with_squares=not self.is_line,
            loss_function=self.loss_function,
            with_own=bool(self.plan.target_scales),
        )

    def numbers(self, rows: pa.Table) -> Floats:
        """Return the numbers of typed rows: encoded columns, then targets, [rows, columns]."""
        return self.plan.numbers(rows, self.targets)

    def with_later(self, errors: Errors, rows: pa.Table, numbers: Floats, before: int) -> Errors:
        """Return the errors of these rows and of typed rows that come after them, with numbers."""
        own = None
        if self.plan.target_scales:
            y = np.empty((rows.num_rows, len(self.targets)), order="F")
            for place, name in enumerate(self.targets):
                table.put_numbers(rows.column(name), y[:, place])
            own = InOwnUnit(y, partial(self.plan.own_unit, targets=self.targets))
        return errors.with_later(numbers, self.predict, before, self.plan.weights_of(rows), own)


@dataclass(frozen=True)
class Measured:
    """Errors of the training rows, and of the rows held out; sums that diagnose the reference."""

    errors: dict[Side, Errors]
    sums: RowSums | None = None

    @property
    def rows(self) -> int:
        """Number of rows of both."""
        return sum(errors.rows for errors in self.errors.values())

    def __add__(self, other: "Measured") -> "Measured":
        """Return the errors of the rows of both."""
        errors = {side: errors + other.errors[side] for side, errors in self.errors.items()}
        sums = self.sums or other.sums
        if self.sums is not None and other.sums is not None:
            sums = self.sums + other.sums
        return Measured(errors, sums)


def splits(summary: Summary, model: Model) -> tuple[Split, Split | None]:
    """Return the training rows and the rows held out, measured; None if no row is held out.

    Reads data/train.parquet, data/test.parquet and data/sample.parquet. If the tables have no rows,
    because `data.keep_rows` is false, the errors are those of the rows that the sample drew.
    Raises UserError if the files are not of one result, or if an error is beyond float64.
    """
    rows_of = {side: groups.sizes_in(path) for side, path in PATHS.items()}
    parts: dict[Side, Part] = {"train": summary.train, "test": summary.test}
    if summary.train.rows and not sum(map(sum, rows_of.values())):
        measured = Measured(
            {
                side: model.with_later(model.no_errors, rows, model.numbers(rows), 0)
                for side, rows in drawn(summary, model.plan, model.targets).items()
            }
        )
    else:
        for side, path in PATHS.items():
            if sum(rows_of[side]) != parts[side].table_rows:
                raise UserError(
                    f"{path}: found {sum(rows_of[side]):,} rows; {files.SUMMARY} has"
                    f" {parts[side].table_rows:,}; {CURE}"
                )
        measured = _pass(rows_of, model)
    train, test = (
        Split.of(
            *(parts[side], measured.errors[side], model.numbers(rows), model.predict),
            *(model.plan.weights_of(rows), model.plan.weights),
        )
        # Not before the pass: it needs memory.
        for side, rows in drawn(summary, model.plan, model.targets).items()
    )
    return replace(train, sums=measured.sums), test if test.rows else None


def drawn(summary: Summary, plan: Plan, targets: tuple[str, ...]) -> dict[Side, pa.Table]:
    """Return the rows that were drawn for data/sample.parquet, of each side."""
    sample = read_sample(summary, plan, targets)
    # Without training rows that were not drawn, but have an extreme value.
    return {"train": sample.training.slice(0, sample.drawn), "test": sample.test}


def _pass(rows_of: dict[Side, list[int]], model: Model) -> Measured:
    """Measure all rows. rows_of: number of rows of each row group."""
    nothing = Measured(dict.fromkeys(PATHS, model.no_errors))
    work, title = partial(_measure, model=model), "measuring"
    # Torch has threads of its own.
    if not model.is_line or max(map(sum, rows_of.values())) <= ROWS_PER_ROW_GROUP:
        # Short tasks all the same, after each of which the bar moves.
        tasks = own_rows.tasks(PATHS, rows_of, MOST_THREADS)
        multiplies = model.diagnosis is not None and sum(rows_of["train"]) > own_rows.FEW_ROWS
        with cores.one_blas_thread() if multiplies else nullcontext():
            return reduced(tasks, work, nothing, None, title)
    columns = len(model.plan.encoded_names) + len(model.targets)
    # A row group as it was read; with 50 columns eight threads took twice that in all, 480 MB.
    with threads(8 * ROWS_PER_ROW_GROUP * columns) as pool:
        return reduced(own_rows.tasks(PATHS, rows_of, pool.threads), work, nothing, pool, title)


def _measure(fragment: Fragment, row_groups: Iterable[int], model: Model) -> Measured:
    """Return the errors of the rows of some row groups."""
    errors = dict.fromkeys(PATHS, model.no_errors)
    diagnosis = model.diagnosis
    of_rows = None if diagnosis is None else diagnosis.row_pass()
    for rows in fragment.read(row_groups):
        for start in range(0, rows.values.num_rows, ROWS_AT_A_TIME):
            block = rows.values.slice(start, ROWS_AT_A_TIME)
            numbers, before = model.numbers(block), rows.before + start
            errors[rows.side] = model.with_later(errors[rows.side], block, numbers, before)
            if of_rows is not None and diagnosis is not None and rows.side == "train":
                diagnosis.add(of_rows, block, numbers, before)
            del numbers
        del rows, block  # before the next ones are read, by each of the threads
    return Measured(errors, None if of_rows is None else of_rows.taken())
