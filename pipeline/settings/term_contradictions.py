"""Mistakes in data.terms, as far as the features are named in params.yaml."""

from collections.abc import Iterator

from pipeline.settings import term_settings
from pipeline.settings.keys.sections import Params
from pipeline.settings.yaml_file import Key

Mistakes = Iterator[tuple[Key, str]]

LEAST_OPSET = 19
"""As of columns with gaps: a file with terms has an input for each column."""


def of(params: Params) -> Mistakes:
    """Yield each mistake: the key, and the end of the message."""
    data = params.data
    if data.terms and params.export.opset < LEAST_OPSET:
        yield (
            ("export", "opset"),
            f"found {params.export.opset}; must be at least {LEAST_OPSET}, because data.terms make"
            " numbers inside the file",
        )
    # Of `features: []` the names are known when the table is read: pipeline/columns/learn_terms.py.
    if data.terms and data.columns:
        _, mistakes = term_settings.read(data.terms, data.columns, data.targets)
        for place, text in mistakes:
            yield ("data", "terms", place), term_settings.told(data.terms[place], text)
