"""The model card's tables of the raw columns: what the model takes, fills, folds and refuses."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.columns.category import MISSING, RARE, CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan
from pipeline.columns.queries import iso
from pipeline.report import card_terms, limits, markdown, row_words
from pipeline.settings import files

MOST_ROWS_SHOWN = 50  # in a table; columns.json has all rows
MOST_LEVELS_SHOWN = 12
MOST_NAMES_SHOWN = 30


def tables(plan: Plan) -> Iterator[str]:
    """Return the lines of a table for each kind of column."""
    numbers = [column for column in plan.columns if isinstance(column, NumberColumn)]
    categories = [column for column in plan.columns if isinstance(column, CategoryColumn)]
    dates = [column for column in plan.columns if isinstance(column, DateColumn)]
    yield from _table(
        ("number", "smallest in training", "largest", "training rows without", "a missing one is"),
        (
            (
                markdown.text(column.name),
                f"{column.min:.6g}",
                f"{column.max:.6g}",
                f"{column.missing_rows:,}",
                _filled(column),
            )
            for column in numbers
        ),
        len(numbers),
    )
    yield from _table(
        ("category", "levels, with their training rows", "a missing one is", "an unseen level is"),
        (
            (
                markdown.text(column.name),
                _levels(column),
                f"the level {MISSING}" if column.has_missing else "refused",
                _UNSEEN[column.unseen],
            )
            for column in categories
        ),
        len(categories),
    )
    yield from _table(
        ("date", "first in training", "last", "what the model gets of it", "a missing one is"),
        (
            (
                markdown.text(column.name),
                iso(column.min, column),
                iso(column.max, column),
                "; ".join(_parts(column)),
                "refused",
            )
            for column in dates
        ),
        len(dates),
    )
    yield from card_terms.table(plan)


_UNSEEN = {
    "refuse": "refused",
    "reference": "answered as the reference",
    "rare": f"answered as {RARE}",
}


def left_out(plan: Plan) -> Iterator[str]:
    """Return the lines about weights, and about what of the source was not used."""
    if plan.weights is not None:
        yield ""
        yield (
            f"Rows are {row_words.weights(plan.weights, markdown.code)}. So are all errors in this"
            " card; an interval is that of a new row with the weight 1."
        )
    dropped = sum(plan.rows.dropped.values())
    if dropped:
        reasons = first_of(
            f"{markdown.text(name)} was {_missing_or_zero(name, plan)} in {rows:,}"
            for name, rows in plan.rows.dropped.items()
        )
        yield ""
        yield f"Of {plan.rows.source:,} rows {dropped:,} were left out: {reasons}."
    if plan.rows.gap:
        yield ""
        yield (
            f"Of {plan.rows.source:,} rows {plan.rows.gap:,} were left out, because their days lie"
            " between those of the training rows and those of the rows held out."
        )
    if plan.excluded:
        names = first_of(markdown.text(name) for name in plan.excluded)
        yield ""
        yield f"Columns of the source that the model does not use: {names}."


def _missing_or_zero(name: str, plan: Plan) -> str:
    """Return why rows were left out because of a column."""
    return "0" if plan.weights is not None and name == plan.weights.by else "missing"


def refused(plan: Plan) -> str:
    """Return what the model does not answer, which is something."""
    gaps, levels, dates, logs, roots = limits.refused(plan)
    parts = [f"{markdown.text(each.name)} ({' or '.join(each.levels)})" for each in dates]
    kinds = [
        ("a missing value in", [*map(markdown.text, gaps)]),
        ("a level that no training row has, of", [*map(markdown.text, levels)]),
        ("a date whose part no training row has, of", parts),
        ("a value that is not above 0 in", [*map(markdown.text, logs)]),
        ("a value below 0 in", [*map(markdown.text, roots)]),
    ]
    texts = [f"{reason} {first_of(names)}" for reason, names in kinds if names]
    return (
        f"Refused: {'; '.join(texts)}. The file answers NaN for such a row, and in_range is false;"
        " the clients say what is wrong instead of asking the file."
    )


def first_of(names: Iterable[str], most: int = MOST_NAMES_SHOWN) -> str:
    """Return the first names in a sentence: a, b and 3 more."""
    every = [*names]
    more = len(every) - most
    shown = ", ".join(every[:most])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], length: int) -> Iterator[str]:
    if not length:
        return
    yield from markdown.table(header, [*rows][:MOST_ROWS_SHOWN])
    if length > MOST_ROWS_SHOWN:
        yield ""
        yield f"{length - MOST_ROWS_SHOWN:,} columns more are in `{files.COLUMNS}`."
    yield ""


def _filled(column: NumberColumn) -> str:
    """Return what becomes of a gap."""
    if column.fill is None:
        return "refused"
    indicator = f"; {markdown.text(f'{column.name}[missing]')} is then 1"
    return f"replaced by {column.fill:.6g}{indicator if column.indicator else ''}"


def _levels(column: CategoryColumn) -> str:
    rows = {MISSING: column.missing_rows, RARE: column.rare_rows}
    rows |= {level.name: level.rows for level in column.levels}  # whatever they are called
    texts = [
        f"{markdown.text(level)} {rows[level]:,}"
        + (" (reference)" if level == column.reference else "")
        for level in column.all_levels
    ]
    return first_of(texts, MOST_LEVELS_SHOWN)


def _parts(column: DateColumn) -> Iterator[str]:
    for part in column.parts:
        if part not in column.levels:
            yield f"{part} as a number"
            continue
        levels = ", ".join(map(str, column.levels[part]))
        yield f"{part} {levels} (reference {column.references[part]})"
