"""Messages about columns that cannot be learnt or used: all columns of a kind at once, with cures.

A cure is a line to paste into params.yaml.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.columns.category import MOST_LEVELS, MOST_TEXTS, TooManyLevelsError
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import CategorySettings, ColumnSettings, NumberSettings
from pipeline.settings.keys.weight_settings import Weights
from pipeline.settings.messages import count, first_lines, first_of, show
from pipeline.tables.weight_faults import MOST_ROWS

MOST_SHOWN = 20
"""Columns, or lines to paste."""
MOST_LEVELS_SHOWN = 5
MIN_COUNT = 10
"""The smallest number of rows of a level that is proposed."""

_PLAIN = re.compile(r"(?!(?:null|true|false)$)[^\W\d_][\w]*(?: [\w]+)*", re.IGNORECASE)


def empty(names: Sequence[str], is_all: bool, excluded: Sequence[str]) -> str:
    """Return the message for columns that are missing in every training row."""
    return (
        f"data.features: {_list(names)} {_are(names)} missing in every training row, so nothing can"
        f" be learnt of {_them(names)}; {leave_out(names, is_all, excluded)}"
    )


def labels(errors: Mapping[str, TooManyLevelsError]) -> str:
    """Return the message for texts that differ in nearly every row."""
    names = [f"{show(n)} ({e.levels:,} texts in {e.rows:,} rows)" for n, e in errors.items()]
    differ = "differs" if len(names) == 1 else "differ"
    return (
        f"data.features: {first_of(names, MOST_SHOWN)} {differ} in nearly every training row, as a"
        f" name or a number of the row does, which says nothing of other rows;"
        f" {leave_out([*errors], False, ())}"
    )


def too_many_texts(names: Sequence[str]) -> str:
    """Return the message for columns of more different texts than are counted."""
    have = "has" if len(names) == 1 else "have"
    return (
        f"data.features: {_list(names)} {have} more than {MOST_TEXTS:,} different texts in the"
        f" training rows, which are too many for categories; {leave_out(names, False, ())}"
    )


def too_many_levels(
    errors: Mapping[str, TooManyLevelsError], settings: Mapping[str, ColumnSettings]
) -> str:
    """Return the message for categories of more levels than are taken without a policy."""
    names = [f"{show(name)} ({error.levels:,})" for name, error in errors.items()]
    lines = [cure(name, settings[name], unseen=None, min_count=MIN_COUNT) for name in errors]
    have = "has" if len(names) == 1 else "have"
    return "\n  ".join(
        [
            f"data.features: {first_of(names, MOST_SHOWN)} {have} more than {MOST_LEVELS} levels;"
            " fold the rare ones into one (a larger min_count folds more), under features:",
            *first_lines(lines, MOST_SHOWN),
            f"or {leave_out([*errors], False, ())}",
        ]
    )


def gaps(rows_of: Mapping[str, int], settings: Mapping[str, ColumnSettings]) -> str:
    """Return the message for columns with gaps that are refused. rows_of: rows with a gap."""
    names = [f"{show(name)} ({count(rows, 'row', ',')})" for name, rows in rows_of.items()]
    have = "has" if len(names) == 1 else "have"
    lines = []
    for name in rows_of:
        if isinstance(settings[name], NumberSettings):
            lines.append(cure(name, settings[name], missing="mean", indicator=True))
        elif isinstance(settings[name], CategorySettings):
            lines.append(cure(name, settings[name], missing="level"))
        else:
            lines.append(cure(name, settings[name], missing="drop_row"))
    return "\n  ".join(
        [
            f"data.features: {first_of(names, MOST_SHOWN)} {have} missing values; say what they"
            " stand for, under features (drop_row leaves such rows out):",
            *first_lines(lines, MOST_SHOWN),
        ]
    )


def held_out(problems: Mapping[str, Sequence[str]], lines: Sequence[str]) -> str:
    """Return the message for held-out rows whose values are refused.

    problems: for each column what its held-out rows have. lines: the cures to paste.
    """
    told = [f"{show(name)}: {text}" for name, texts in problems.items() for text in texts]
    return "\n  ".join(
        [
            "data.features: held-out rows have values that no training row has",
            *first_lines(told, MOST_SHOWN),
            "say what becomes of them, under features:" if lines else "",
            *(f"  {line}" for line in first_lines(lines, MOST_SHOWN)),
            "or bring more rows; another `seed` holds out other rows",
        ]
    ).replace("\n  \n", "\n")


def same_names(names: Sequence[str]) -> str:
    """Return the message for names that two numbers of the model would have."""
    return (
        f"data.features: found {_list(names)} twice among the names of the model's numbers, once"
        " for a level of a column and once for another column or level; rename one of the columns,"
        " or change the text of the level"
    )


def cure(name: str, settings: ColumnSettings, **changes: Any) -> str:
    """Return the line of a column in data.features with other settings; None leaves one out."""
    values = settings.plain() | changes
    pairs = [f"{key}: {_yaml(value)}" for key, value in values.items() if value is not None]
    return f"  {_yaml(name)}: {{{', '.join(pairs)}}}"


def leave_out(names: Sequence[str], is_all: bool, excluded: Sequence[str]) -> str:
    """Return the advice to do without columns.

    is_all: True if data.features is []. excluded: data.exclude, which stays.
    """
    if not is_all:
        return f"leave {_them(names)} out of data.features"
    line = json.dumps([*excluded, *names], ensure_ascii=False)
    return f"leave {_them(names)} out, under data:\n    exclude: {line}"


def levels(rows_of: Mapping[str, int]) -> str:
    """Return levels with their numbers of rows, the most frequent first."""
    by_rows = sorted(rows_of.items(), key=lambda item: (-item[1], item[0].encode()))
    return first_of(
        [f"{show(level)} ({count(rows, 'row', ',')})" for level, rows in by_rows],
        MOST_LEVELS_SHOWN,
    )


def _yaml(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _list(names: Sequence[str]) -> str:
    return first_of([show(name) for name in names], MOST_SHOWN)


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def check_frequencies(weights: Weights | None, total: int) -> None:
    """Raise UserError if the frequencies stand for more rows than can be counted exactly."""
    if weights is not None and total > MOST_ROWS:
        raise UserError(
            f"data.weights: the frequencies in {show(weights.by)} sum to {total:,} rows; must be at"
            f" most {MOST_ROWS:,} (2^53), as counts of rows must be exact; if they are no counts,"
            f" write `weights: {{by: {weights.by}, kind: precision}}`"
        )
