"""The division of the rows and the folds that data.test_fraction and data.folds ask for."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import numpy as np

from pipeline.compute import days, groups
from pipeline.compute.days import HeldOutDays
from pipeline.compute.draws import Division, DrawnDivision, DrawnFolds, FoldsOfRows
from pipeline.compute.groups import GroupFolds, HeldOutGroups
from pipeline.compute.value_counts import MOST_VALUES, Days, Groups, ValueCounts, Valued
from pipeline.settings import yaml_values
from pipeline.settings.errors import UserError
from pipeline.settings.keys.row_settings import RowSettings
from pipeline.settings.messages import count, first_of, show
from pipeline.settings.params import Data

CountValues: TypeAlias = Callable[[Valued], ValueCounts]
"""Returns the values of a column in all rows that are to be divided, and their counts."""
Chosen = TypeVar("Chosen", bound=Division | FoldsOfRows, covariant=True)


@dataclass(frozen=True)
class Choice(Generic[Chosen]):
    """A division or folds, and what is said of them.

    left_out: number of rows of neither side.
    """

    chosen: Chosen
    note: str = ""
    left_out: int = 0

    def report(self) -> None:
        """Print the note to stderr, if there is one."""
        if self.note:
            print(f"note: {self.note}", file=sys.stderr)


def division(data: Data, seed: int, count_values: CountValues) -> Choice[Division]:
    """Return how data.test_fraction divides the rows.

    count_values: of all rows. Raises UserError if the values of the column cannot be divided so.
    """
    settings = data.test_fraction
    if settings.by is None:
        return Choice(DrawnDivision(seed, settings.share))
    if settings.gap is None:
        column = Groups(settings.by, seed, "test groups")
        counted = _counted(column, settings, "data.test_fraction", count_values)
        if not counted.rows:  # which is refused elsewhere
            return Choice(DrawnDivision(seed, settings.share))
        return _by_groups(column, counted, settings.share)
    day_column = Days(settings.by)
    counted = _counted(day_column, settings, "data.test_fraction", count_values)
    if not counted.rows:
        return Choice(DrawnDivision(seed, settings.share))
    return _by_days(day_column, counted, settings.share, settings.gap)


def _by_groups(column: Groups, counted: ValueCounts, share: float) -> Choice[Division]:
    values, counts = counted.known
    if len(values) == 1:
        raise UserError(
            f"data.test_fraction.by: found one value of {show(column.column)} in all"
            f" {count(counted.rows, 'row', ',')}, which would all be on one side; name a column"
            f" with more values, or write `test_fraction: {share}`, which chooses row by row"
        )
    last = groups.last_held_out(counted, share)
    told = f"{last + 1:,} of {len(values):,} values of {show(column.column)}"
    note = f"held out: {_share(int(counts[: last + 1].sum()), counted.rows)}, {told}"
    return Choice(HeldOutGroups(column, int(values[last])), note)


def _by_days(column: Days, counted: ValueCounts, share: float, gap: int) -> Choice[Division]:
    values, counts = counted.known
    rows = count(counted.rows, "row", ",")
    if len(values) == 1:
        raise UserError(
            f"data.test_fraction.by: found one day, {_day(values[0])}, in {show(column.column)} of"
            f" all {rows}, which would all be on one side; name a column with more days, or write"
            f" `test_fraction: {share}`, which chooses row by row"
        )
    first = days.first_held_out(counted, share)
    most = int(values[first] - values[0]) - 1
    if gap > most:
        raise UserError(
            f"data.test_fraction.gap: found {count(gap, 'day')}, which leaves none of {rows} for"
            f" training: {show(column.column)} begins on {_day(values[0])}, and the rows from"
            f" {_day(values[first])} on are held out; make the gap {most} at most, or the share"
            " smaller"
        )
    before = int(np.searchsorted(values, values[first] - gap))
    left_out = int(counts[before:first].sum())
    note = (
        f"held out: {_share(int(counts[first:].sum()), counted.rows)}, from"
        f" {_day(values[first])} on ({show(column.column)})"
    )
    if left_out:
        text = f"{count(left_out, 'row', ',')} of the {count(gap, 'day')} before"
        note += f"; {text} {'is' if left_out == 1 else 'are'} left out"
    return Choice(HeldOutDays(column, int(values[first]), gap), note, left_out)


def folds(data: Data, seed: int, count_values: CountValues) -> Choice[FoldsOfRows]:
    """Return the folds that data.folds makes of the training rows.

    count_values: of the training rows. Raises UserError if the values cannot be divided so.
    """
    settings = data.folds
    if settings.by is None:
        return Choice(DrawnFolds(seed, settings.number))
    if settings.gap is None:
        column = Groups(settings.by, seed, "fold groups")
        counted = _counted(column, settings, "data.folds", count_values)
        return _folds_of_groups(column, counted, settings.number)
    day_column = Days(settings.by)
    counted = _counted(day_column, settings, "data.folds", count_values)
    return _folds_in_time(day_column, counted, settings.number, settings.gap)


def _folds_of_groups(column: Groups, counted: ValueCounts, number: int) -> Choice[FoldsOfRows]:
    values, counts = counted.known
    if len(values) < number:
        told = f"{count(len(values), 'value')} of {show(column.column)} in the training rows"
        raise UserError(
            f"data.folds.by: found {told}, fewer than the {number} folds;"
            f" {_fewer_folds(column, None, len(values), number)}"
        )
    of_groups = groups.balanced(counted, number)
    rows = np.bincount(of_groups, counts, number).astype(int)
    note = (
        f"folds: {len(values):,} values of {show(column.column)} in {number} folds of"
        f" {rows.min():,} to {count(int(rows.max()), 'row', ',')}"
    )
    return Choice(GroupFolds(column, values, of_groups, number), note)


def _folds_in_time(
    column: Days, counted: ValueCounts, number: int, gap: int
) -> Choice[FoldsOfRows]:
    values, _ = counted.known
    if len(values) <= number:
        told = f"{count(len(values), 'day')} in {show(column.column)} of the training rows"
        raise UserError(
            f"data.folds.by: found {told}, but {number} folds need {number + 1}, because the first"
            f" days are tested by no fit; {_fewer_folds(column, gap, len(values) - 1, number)}"
        )
    made = days.in_time(column, counted, number, gap)
    begins = [int(values[place]) for place in days.blocks(counted, number + 1)[1:]]
    untrained = [fold for fold, places in enumerate(made.places, 1) if not places.training]
    if untrained:
        shown = first_of([str(fold) for fold in untrained], 5)
        raise UserError(
            f"data.folds.gap: found {count(gap, 'day')}, which leaves no training row for fold"
            f"{'s' * (len(untrained) > 1)} {shown}: {show(column.column)} begins on"
            f" {_day(values[0])}, and the test rows of the first fold on {_day(begins[0])}; make"
            f" the gap {begins[0] - int(values[0]) - 1} at most, or take fewer folds"
        )
    shown = first_of([_day(begin) for begin in begins], 5)
    return Choice(made, f"folds: their test rows begin on {shown} ({show(column.column)})")


def _fewer_folds(column: Valued, gap: int | None, most: int, number: int) -> str:
    """Return the advice for a column of too few values. most: number of folds that it allows."""
    other = f"name another column, or write `folds: {number}`, which chooses row by row"
    if most < 2:
        return other
    line = {"number": most, "by": column.column} | ({} if gap is None else {"gap": gap})
    return f"write `folds: {yaml_values.flow(line)}`, or {other}"


def _counted(
    column: Valued, settings: RowSettings, key: str, count_values: CountValues
) -> ValueCounts:
    """Return the values of a column. Raises UserError if there are too many."""
    counted = count_values(column)
    if counted.values is None:
        raise UserError(
            f"{key}.by: found more than {MOST_VALUES:,} different values of {show(column.column)}"
            f" in {counted.rows:,} rows; so many groups are hardly other than single rows: name a"
            f" column with fewer, or write"
            f" `{key.removeprefix('data.')}: {getattr(settings, settings.short)}`"
        )
    return counted


def _share(part: int, rows: int) -> str:
    return f"{part:,} of {count(rows, 'row', ',')} ({part / rows:.1%})"


def _day(day: int | np.int64) -> str:
    return str(np.datetime64(int(day), "D"))
