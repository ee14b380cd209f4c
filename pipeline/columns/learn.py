"""What is learnt of the columns from the training rows, and the refusal of what cannot be used."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.columns import notes, refusals
from pipeline.columns.category import CategoryColumn, LevelError, TooManyLevelsError
from pipeline.columns.column import EmptyColumnError, Values
from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan, Rows
from pipeline.settings.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of, show
from pipeline.settings.params import Data
from pipeline.tables import table
from pipeline.tables.table import Writer

if TYPE_CHECKING:
    from pipeline.tables.raw_table import RawTable


def plan(data: Data, raw: "RawTable | None", train: Writer, test: Writer) -> Plan:
    """Return the plan of the columns, learnt from the training rows.

    raw: the table of which all rows were read; None if it was generated. train, test: finished.
    Raises UserError with every column that cannot be learnt, and every column of which a held-out
    row has a value that the plan refuses.
    """
    columns = raw.columns if raw else data.columns
    empty: list[str] = []
    too_many: dict[str, TooManyLevelsError] = {}
    messages: list[str] = []
    learnt: list[AnyColumn] = []
    for name, settings in columns.items():
        # One column at a time: the whole table may not fit into memory.
        values = table.read_arrow(train.path, [name]).column(0)
        try:
            learnt.append(column(name, settings, values))
        except EmptyColumnError:
            empty.append(name)
        except TooManyLevelsError as error:
            too_many[name] = error
        except LevelError as error:
            messages.append(f"data.features: {show(name)} {error}")
    if empty:
        messages.append(refusals.empty(empty, not data.features, data.exclude))
    labels = {name: error for name, error in too_many.items() if error.is_label}
    if labels:
        messages.append(refusals.labels(labels))
    if others := {name: error for name, error in too_many.items() if name not in labels}:
        messages.append(refusals.too_many_levels(others, columns))
    if messages:
        raise UserError("\n".join(messages))
    dropped = dict(raw.dropped) if raw else {}
    result = Plan(
        rows=Rows(
            source=train.rows + test.rows + sum(dropped.values()),
            dropped=dropped,
            training=train.rows,
            test=test.rows,
        ),
        excluded=raw.excluded if raw else (),
        columns=tuple(learnt),
    )
    _check_names(result, data.targets)
    # The numbers of a matrix have no gaps: RawTable refuses them, with their places.
    if not result.is_matrix:
        _check_gaps(result, columns, test)
        _check_held_out(result, data, test)
    return result


def column(name: str, settings: ColumnSettings, values: pa.ChunkedArray) -> AnyColumn:
    """Learn one column. values: of the training rows.

    Raises EmptyColumnError, TooManyLevelsError or LevelError.
    """
    if isinstance(settings, NumberSettings):
        return NumberColumn.learn(name, settings, values)
    if isinstance(settings, CategorySettings):
        return CategoryColumn.learn(name, settings, values)
    assert isinstance(settings, DateSettings)
    return DateColumn.learn(name, settings, values)


def report(plan: Plan) -> None:
    """Print what was left out, filled and folded, to stderr: a line for each kind."""
    for note in notes.of(plan):
        print(f"note: {note}", file=sys.stderr)


def _check_names(plan: Plan, targets: Sequence[str]) -> None:
    """Raise UserError if two numbers of the model have one name, or if there is no number."""
    counts = Counter((*plan.encoded_names, *targets))
    if twice := [name for name, number in counts.items() if number > 1]:
        raise UserError(refusals.same_names(twice))
    if not plan.encoded_names:
        names = first_of([show(name) for name in plan.features], refusals.MOST_SHOWN)
        raise UserError(
            f"data.features: {names}: each has one level alone in the training rows, so there is"
            " nothing to learn from; add a column that varies"
        )


def _check_gaps(plan: Plan, columns: Mapping[str, ColumnSettings], test: Writer) -> None:
    """Raise UserError with each column that has gaps, although the plan refuses them."""
    gaps = {}
    for each in plan.columns:
        if not each.takes_gaps:
            held_out = table.read_arrow(test.path, [each.name]).column(0)
            if rows := each.missing_rows + each.count_gaps(held_out):
                gaps[each.name] = rows
    if gaps:
        raise UserError(refusals.gaps(gaps, columns))


def _check_held_out(plan: Plan, data: Data, test: Writer) -> None:
    """Raise UserError with each column of which a held-out row has a value that is refused."""
    problems: dict[str, list[str]] = {}
    lines: list[str] = []
    for each in plan.columns:
        values = table.read_arrow(test.path, [each.name]).column(0)
        settings = data.columns.get(each.name)
        if isinstance(each, CategoryColumn) and each.unseen == "refuse":
            if unseen := each.unseen_levels(values):
                problems[each.name] = [f"levels {refusals.levels(unseen)}"]
                assert isinstance(settings, CategorySettings)
                lines.append(refusals.cure(each.name, settings, unseen="reference"))
                folding = refusals.cure(each.name, settings, unseen=None, min_count=2)
                lines.append(f"{folding}   # or this one, which folds rare levels")
        elif isinstance(each, DateColumn) and (texts := _unseen_parts(each, values)):
            problems[each.name] = texts
            parts = [part for part in each.parts if part not in each.unseen_parts(values)]
            assert isinstance(settings, DateSettings)
            lines.append(refusals.cure(each.name, settings, parts=parts or ["days"]))
    if problems:
        raise UserError(refusals.held_out(problems, lines))


def _unseen_parts(column: DateColumn, values: Values) -> list[str]:
    """Return a text for each part of which held-out rows have values that no training row has."""
    texts = []
    for part, rows_of in column.unseen_parts(values).items():
        shown = [f"{value} ({count(rows, 'row', ',')})" for value, rows in rows_of.items()]
        texts.append(f"{part} {first_of(shown, refusals.MOST_LEVELS_SHOWN)}")
    return texts
