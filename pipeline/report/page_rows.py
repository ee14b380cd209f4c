"""A row of the table in the report: its columns with their values, as the table has them."""

from collections.abc import Iterator

import numpy as np

from pipeline.columns.number import NumberColumn
from pipeline.report import markup
from pipeline.report.facts import Facts, Row
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, cell

SENTENCES: Sentences = {
    "en": {"value": "{name} = {value}", "missing": "missing"},
    "zh": {"value": "{name} = {value}", "missing": "缺失"},
}


def in_own_unit(facts: Facts, target: str, fitted: str) -> float:
    """Return a number on the scale on which a target is fitted in the target's own unit."""
    return float(facts.plan.own_unit(np.array([[float(fitted)]]), (target,))[0, 0])


def values(facts: Facts, row: Row, prefix: str = "") -> Iterator[Html]:
    """Yield each raw column with its value in a row. prefix: what stands before the names there.

    Rows of largest_errors.csv do not have the columns that the model gets only through terms.
    """
    words = Words(facts.language, SENTENCES)
    for column in facts.plan.columns:
        names = facts.plan.names_in_model(column)
        if prefix and len(names) < len(column.encoded_names):
            continue
        text = row[f"{prefix}{column.name}"]
        # A level may look like a number, and is shown as it is.
        shown = cell(text, 8) if isinstance(column, NumberColumn) and text else text
        value = markup.name(shown) if shown else words("missing")
        yield words("value", name=markup.name(column.name), value=value)
