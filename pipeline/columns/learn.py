"""What is learnt of the columns from the training rows, and the refusal of what cannot be used."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.columns import learn_terms, notes, refusals
from pipeline.columns.category import (
    CategoryColumn,
    CategoryStatistics,
    LevelError,
    TooManyLevelsError,
    TooManyTextsError,
)
from pipeline.columns.column import EmptyColumnError
from pipeline.columns.date import DateColumn, DateStatistics
from pipeline.columns.learn_terms import NO_TERMS, DeclaredTerms
from pipeline.columns.number import NumberColumn, NumberStatistics
from pipeline.columns.plan import AnyColumn, Plan, RowCounts, SourceFile
from pipeline.columns.statistics import ColumnStatistics, CountColumn, Measured, Statistics
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import (
    CategorySettings,
    ColumnSettings,
    DatePart,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.messages import count, first_of, show
from pipeline.settings.params import Data


@dataclass(frozen=True)
class Learnable:
    """What the plan is learnt from.

    columns: the features with their settings. train, test: statistics of both sides.
    count: counts the numbers of a column of the training rows, for its median.
    dropped: rows that were left out, by the column that says why: see RowCounts.
    excluded: the columns that are neither features nor targets. source: see Plan.
    left_out: number of rows that are neither training rows nor test rows.
    terms: of data.terms, read with the names of the columns.
    """

    columns: Mapping[str, ColumnSettings]
    train: Statistics
    test: Statistics
    count: CountColumn
    dropped: Mapping[str, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    source: tuple[SourceFile, ...] = ()
    left_out: int = 0
    terms: DeclaredTerms = NO_TERMS


def plan(data: Data, table: Learnable) -> Plan:
    """Return the plan of the columns, learnt from the training rows.

    Raises UserError with every column that cannot be learnt, and every column of which a held-out
    row has a value that the plan refuses.
    """
    columns, train, test = table.columns, table.train, table.test
    refusals.check_frequencies(data.weights, train.repeated + test.repeated)
    empty: list[str] = []
    too_many_texts: list[str] = []
    too_many: dict[str, TooManyLevelsError] = {}
    messages: list[str] = []
    learnt: list[AnyColumn] = []
    for name, settings in columns.items():
        try:
            is_summed = name in table.terms.summed
            learnt.append(column(name, settings, train.columns[name], table.count, is_summed))
        except EmptyColumnError:
            empty.append(name)
        except TooManyTextsError:
            too_many_texts.append(name)
        except TooManyLevelsError as error:
            too_many[name] = error
        except LevelError as error:
            messages.append(f"data.features: {show(name)} {error}")
    if empty:
        messages.append(refusals.empty(empty, not data.features, data.exclude))
    if too_many_texts:
        messages.append(refusals.too_many_texts(too_many_texts))
    labels = {name: error for name, error in too_many.items() if error.is_label}
    if labels:
        messages.append(refusals.labels(labels))
    if others := {name: error for name, error in too_many.items() if name not in labels}:
        messages.append(refusals.too_many_levels(others, columns))
    if messages:
        raise UserError("\n".join(messages))
    terms = learn_terms.learnt(table.terms, learnt, train, test, table.count)
    names = (*columns, *data.targets, *([data.weights.by] if data.weights else []))
    dropped = {name: table.dropped[name] for name in names if name in table.dropped}
    result = Plan(
        source=table.source,
        rows=RowCounts(
            source=train.rows + test.rows + sum(dropped.values()) + table.left_out,
            dropped=dropped,
            gap=table.left_out,
            training=train.rows,
            test=test.rows,
        ),
        excluded=table.excluded,
        columns=tuple(learnt),
        weights=data.weights,
        terms=terms,
        only_in_terms=table.terms.only_in_terms,
        target_scales=dict.fromkeys(sorted(data.targets.logs), "log"),
    )
    _check_names(result, data.targets)
    # The numbers of a matrix have no gaps: RawTable refuses them, with their places.
    if not result.is_matrix:
        _check_gaps(result, columns, test)
        if test.rows:
            _check_held_out(result, data, test)
    return result


def column(
    name: str,
    settings: ColumnSettings,
    of_rows: ColumnStatistics,
    count: CountColumn,
    summed: bool = False,
) -> AnyColumn:
    """Learn one column from the statistics of the training rows. summed: see NumberStatistics.of.

    Raises EmptyColumnError, TooManyTextsError, TooManyLevelsError or LevelError.
    """
    if isinstance(settings, NumberSettings):
        assert isinstance(of_rows, NumberStatistics)
        counted = partial(count, Measured(name))
        return NumberColumn.learnt(name, settings, of_rows, counted, summed)
    if isinstance(settings, CategorySettings):
        assert isinstance(of_rows, CategoryStatistics)
        return CategoryColumn.learnt(name, settings, of_rows)
    assert isinstance(settings, DateSettings)
    assert isinstance(of_rows, DateStatistics)
    return DateColumn.learnt(name, settings, of_rows)


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


def _check_gaps(plan: Plan, columns: Mapping[str, ColumnSettings], test: Statistics) -> None:
    """Raise UserError with each column that has gaps, although the plan refuses them."""
    gaps = {}
    for each in plan.columns:
        if not each.takes_gaps and (rows := each.missing_rows + _missing(test, each.name)):
            gaps[each.name] = rows
    if gaps:
        raise UserError(refusals.gaps(gaps, columns))


def _missing(of_rows: Statistics, name: str) -> int:
    """Return the number of rows in which a column is missing."""
    return of_rows.columns[name].missing if of_rows.rows else 0


def _check_held_out(plan: Plan, data: Data, test: Statistics) -> None:
    """Raise UserError with each column of which a held-out row has a value that is refused."""
    problems: dict[str, list[str]] = {}
    lines: list[str] = []
    for each in plan.columns:
        of_rows, settings = test.columns[each.name], data.columns.get(each.name)
        if isinstance(each, CategoryColumn) and each.unseen == "refuse":
            assert isinstance(of_rows, CategoryStatistics)
            if unseen := each.unseen_levels(of_rows):
                problems[each.name] = [f"levels {refusals.levels(unseen)}"]
                assert isinstance(settings, CategorySettings)
                lines.append(refusals.cure(each.name, settings, unseen="reference"))
                folding = refusals.cure(each.name, settings, unseen=None, min_count=2)
                lines.append(f"{folding}   # or this one, which folds rare levels")
        elif isinstance(each, DateColumn) and isinstance(of_rows, DateStatistics):
            unseen_parts = each.unseen_parts(of_rows)
            if not unseen_parts:
                continue
            problems[each.name] = [*_texts_of(unseen_parts)]
            parts = [part for part in each.parts if part not in unseen_parts]
            assert isinstance(settings, DateSettings)
            lines.append(refusals.cure(each.name, settings, parts=parts or ["days"]))
    if problems:
        raise UserError(refusals.held_out(problems, lines))


def _texts_of(unseen_parts: Mapping[DatePart, Mapping[int, int]]) -> Iterator[str]:
    """Yield a text for each part of which held-out rows have values that no training row has."""
    for part, rows_of in unseen_parts.items():
        shown = [f"{value} ({count(rows, 'row', ',')})" for value, rows in rows_of.items()]
        yield f"{part} {first_of(shown, refusals.MOST_LEVELS_SHOWN)}"
