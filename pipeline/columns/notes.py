"""What `generate` says of the columns: rows left out, gaps filled, levels folded; a line a kind."""

import unicodedata
from collections.abc import Iterator

from pipeline.columns.category import CategoryColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan
from pipeline.settings.messages import count, first_of, show

MOST_SHOWN = 8


def of(plan: Plan) -> Iterator[str]:
    """Yield a line for each kind of change, with the columns that it concerns."""
    missing = dict(plan.rows.dropped)
    if plan.weights is not None and (without := missing.pop(plan.weights.by, 0)):
        rows = count(without, "row", ",")
        yield f"{rows} left out, because the weight is 0: {show(plan.weights.by)}"
    dropped = [f"{show(name)} ({rows:,})" for name, rows in missing.items() if rows]
    if dropped:
        rows = count(sum(missing.values()), "row", ",")
        yield f"{rows} left out, because a value is missing: {first_of(dropped, MOST_SHOWN)}"
    filled, as_level, folded = [], [], []
    for column in plan.columns:
        gaps = f"{show(column.name)} ({column.missing_rows:,})"
        if isinstance(column, NumberColumn) and column.fill is not None and column.missing_rows:
            filled.append(f"{show(column.name)} with {column.fill:.6g} ({column.missing_rows:,})")
        if isinstance(column, CategoryColumn):
            if column.has_missing and column.missing_rows:
                as_level.append(gaps)
            if column.rare_rows:
                folded.append(f"{show(column.name)} ({count(column.rare_rows, 'row', ',')})")
    if filled:
        yield f"missing numbers of training rows filled: {first_of(filled, MOST_SHOWN)}"
    if as_level:
        yield f"missing texts of training rows taken as a level: {first_of(as_level, MOST_SHOWN)}"
    if folded:
        yield f"rare levels folded into one: {first_of(folded, MOST_SHOWN)}"
    alike = [text for column in plan.columns for text in _alike(column)]
    if alike:
        yield (
            "levels that differ only in case, blanks or Unicode form are kept apart:"
            f" {first_of(alike, MOST_SHOWN)}"
        )


def _alike(column: object) -> Iterator[str]:
    """Yield the groups of levels of a column that read the same."""
    if not isinstance(column, CategoryColumn):
        return
    groups: dict[str, list[str]] = {}
    for level in column.levels:
        plain = " ".join(unicodedata.normalize("NFKC", level.name).casefold().split())
        groups.setdefault(plain, []).append(f"{ascii_if_needed(level.name)} ({level.rows:,})")
    for group in groups.values():
        if len(group) > 1:
            yield f"{show(column.name)} has {' and '.join(group[:4])}"


def ascii_if_needed(level: str) -> str:
    """Return a level in quotes, with escapes if it is in no composed form: é is one, or two."""
    return show(level) if unicodedata.is_normalized("NFC", level) else ascii(level)
