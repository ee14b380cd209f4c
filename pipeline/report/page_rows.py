"""A row of the table in the report: its columns with their values, as the table has them."""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.columns.number import NumberColumn
from pipeline.report import markup
from pipeline.report.facts import Facts, Row
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, cell
from pipeline.settings.keys.sections import Language

SENTENCES: Sentences = {
    "en": {
        "value": "{name} = {value}",
        "missing": "missing",
        "file": "file",
        "row": "row",
        "numbered": "A row has the number that it has in {file}: of a text file its line, else its"
        " place, counted from 1.",
        "its_file": "its file",
        "made": "Rows are counted from 1, as they were made.",
    },
    "zh": {
        "value": "{name} = {value}",
        "missing": "缺失",
        "file": "文件",
        "row": "行",
        "numbered": "行号即该行在 {file} 中的位置：文本文件为文件中的行号，"
        "其他文件为数据行的次序，从 1 起。",
        "its_file": "其文件",
        "made": "行号为数据生成的次序，从 1 起。",
    },
}


def in_own_unit(facts: Facts, target: str, fitted: str) -> float:
    """Return a number on the scale on which a target is fitted in the target's own unit."""
    return float(facts.plan.own_unit(np.array([[float(fitted)]]), (target,))[0, 0])


def place_columns(rows: Sequence[Row]) -> list[str]:
    """Return the columns that say where rows stand in the user's table: the row, or nothing.

    The file comes before it if there are several.
    """
    if not rows[0]["row"]:
        return []  # the rows were left where they are
    return [*["file"] * (len({row["file"] for row in rows}) > 1), "row"]


def place_header(columns: Sequence[str], language: Language) -> list[Html]:
    """Return the header of the columns that say where rows stand."""
    return [*map(Words(language, SENTENCES), columns)]


def place(row: Row, columns: Sequence[str]) -> list[str]:
    """Return the cells that say where a row stands."""
    return [cell(row[name]) if name == "row" else markup.name(row[name]) for name in columns]


def numbering(rows: Sequence[Row], language: Language) -> Html:
    """Return a sentence on what the numbers of rows count; nothing if there are none."""
    if not place_columns(rows):
        return Html()
    words = Words(language, SENTENCES)
    names = {row["file"] for row in rows}
    if names == {""}:
        return words("made")
    return words("numbered", file=words("its_file") if len(names) > 1 else markup.name(*names))


def values(facts: Facts, row: Row, prefix: str = "") -> Iterator[Html]:
    """Yield each raw column with its value in a row. prefix: what stands before the names there."""
    words = Words(facts.language, SENTENCES)
    for column in facts.plan.columns:
        text = row[f"{prefix}{column.name}"]
        # A level may look like a number, and is shown as it is.
        shown = cell(text, 8) if isinstance(column, NumberColumn) and text else text
        value = markup.name(shown) if shown else words("missing")
        yield words("value", name=markup.name(column.name), value=value)
