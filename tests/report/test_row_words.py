"""How rows are chosen, in words."""

from typing import Any

import pytest

from pipeline.report import markdown, row_words


@pytest.mark.parametrize(
    ("value", "words", "fits"),
    [
        (5, "5 folds of the training rows", "to the others"),
        (
            {"number": 3, "by": "a`b"},
            "3 folds of whole groups of `` a`b ``",
            "to the others",
        ),
        ({"number": 5, "by": "sold", "gap": 0}, "5 folds in time by `sold`", "to earlier rows"),
        (
            {"number": 5, "by": "sold", "gap": 7},
            "5 folds in time by `sold`",
            "to earlier rows, with a gap of 7 days",
        ),
    ],
)
def test_folds(value: Any, words: str, fits: str) -> None:
    assert row_words.folds(value, markdown.code) == words
    assert row_words.fits(value) == f"each predicted by a fit {fits}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.2, None),
        ({"share": 0.2, "by": "customer"}, "whole groups of customer"),
        ({"share": 0.2, "by": "sold", "gap": 1}, "the latest rows by sold, with a gap of 1 day"),
    ],
)
def test_rows_held_out(value: Any, words: str | None) -> None:
    assert row_words.held_out(value) == words
    is_grouped = isinstance(value, dict) and "gap" not in value
    assert (row_words.dependence(value) is not None) == is_grouped
