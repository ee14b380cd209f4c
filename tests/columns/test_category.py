"""Levels come from the training rows, each has its own number, and what is unseen has a policy."""

from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.preprocessing import OneHotEncoder

from pipeline.columns import category
from pipeline.columns.category import (
    MOST_LEVELS,
    CategoryColumn,
    CategoryStatistics,
    LevelError,
    TooManyLevelsError,
    TooManyTextsError,
    label,
)
from pipeline.columns.column import EmptyColumnError, Values
from pipeline.settings.keys.column_settings import CategorySettings

TEXTS = ["oil", "gas", "gas", "gas", "gas", "", "wood", "gas", "oil", "Öl", "𝒢as", "oil "]


def texts(*values: str) -> pa.Array:
    return pa.array([*values], pa.string())


def of_rows(settings: CategorySettings, values: Values) -> CategoryColumn:
    return CategoryColumn.learnt("h", settings, CategoryStatistics.of(settings, values))


def learnt(*values: str, **settings: Any) -> CategoryColumn:
    return of_rows(CategorySettings(kind="category", **settings), texts(*values))


def encoded(column: CategoryColumn, *values: str) -> list[list[float]]:
    out = np.full((len(values), len(column.encoded_names)), 9.0, order="F")
    refused = column.encode(texts(*values), out)
    assert np.isnan(out[refused]).all()
    assert not np.isnan(out[~refused]).any()
    return out.tolist()


def test_levels_are_sorted_by_bytes_and_the_most_frequent_one_has_no_number() -> None:
    column = learnt("b", "a", "Z", "é", "b", "𝒢")
    assert [level.name for level in column.levels] == ["Z", "a", "b", "é", "𝒢"]
    assert [level.rows for level in column.levels] == [1, 1, 2, 1, 1]
    assert column.reference == "b"
    assert column.encoded_names == ("h[Z]", "h[a]", "h[é]", "h[𝒢]")
    assert encoded(column, "b", "𝒢") == [[0, 0, 0, 0], [0, 0, 0, 1]]
    assert learnt("b", "a").reference == "a", "of equal ones the first"
    assert learnt("b", "a", reference="b").encoded_names == ("h[a]",)


def test_the_numbers_are_those_of_scikit_learn() -> None:
    values = np.random.default_rng(0).choice(["a", "b", "c", "d é"], 1000)
    column = learnt(*values)
    peer = OneHotEncoder(drop=[column.reference], sparse_output=False)
    np.testing.assert_array_equal(encoded(column, *values), peer.fit_transform(values[:, None]))


@pytest.mark.parametrize(
    ("settings", "unseen", "gap"),
    [
        ({}, "refused", "refused"),
        ({"unseen": "reference"}, "reference", "refused"),
        ({"min_count": 2}, "(rare)", "refused"),
        ({"missing": "level"}, "refused", "(missing)"),
        ({"missing": "level", "unseen": "reference"}, "reference", "(missing)"),
        ({"missing": "level", "min_count": 2, "unseen": "rare"}, "(rare)", "(missing)"),
        ({"missing": "drop_row"}, "refused", "refused"),
    ],
)
def test_each_policy(settings: dict[str, Any], unseen: str, gap: str) -> None:
    known = [each for each in TEXTS if each or "level" in settings.values()]
    column = learnt(*known, **settings)
    for value, policy in (("peat", unseen), ("", gap)):
        (row,) = encoded(column, value)
        inside = column.in_range(texts(value)).tolist()
        if policy == "refused":
            assert np.isnan(row).all()
            assert inside == [False]
        elif policy == "reference":
            assert row == [0.0] * len(row)
            assert inside == [False], "it answers, but no training row is like it"
        else:
            names = dict(zip(column.encoded_names, row, strict=True))
            assert names.pop(f"h[{policy}]") == 1.0
            assert not any(names.values())
            assert inside == [True]
    assert column.in_range(texts("gas")).tolist() == [True]


def test_rare_levels_are_folded_and_counted() -> None:
    column = learnt("a", "a", "a", "b", "c", min_count=2)
    assert [(level.name, level.rows) for level in column.levels] == [("a", 3)]
    assert column.rare_rows == 2
    assert encoded(column, "a", "b", "new") == [[0.0], [1.0], [1.0]]
    none_rare = learnt("a", "a", "b", "b", min_count=2)
    assert none_rare.encoded_names == ("h[b]", "h[(rare)]")
    assert none_rare.in_range(texts("a", "new")).tolist() == [True, False]


def test_a_gap_that_no_training_row_has_is_out_of_range() -> None:
    column = learnt("a", "b", missing="level")
    assert encoded(column, "") == [[0.0, 1.0]]
    assert column.in_range(texts("", "a")).tolist() == [False, True]


def test_blocks_of_rows_give_the_same() -> None:
    column = learnt(*TEXTS, missing="level")
    whole = np.array(encoded(column, *TEXTS))
    chunks = pa.chunked_array([TEXTS[:3], [], TEXTS[3:]], pa.string())
    out = np.empty_like(whole, order="F")
    column.encode(chunks, out)
    np.testing.assert_array_equal(out, whole)
    settings = CategorySettings(kind="category", missing="level")
    assert of_rows(settings, chunks) == column
    assert not column.encode(chunks.slice(0, 0), np.empty((0, whole.shape[1]))).size


def test_texts_are_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of ten million different names would be kept in memory."""
    monkeypatch.setattr(category, "MOST_TEXTS", 3)
    settings = CategorySettings(kind="category", min_count=2, unseen="rare")
    blocks = [
        CategoryStatistics.of(settings, texts(*block))
        for block in (["a", "b", ""], ["c", "a"], ["d"], ["a", "e"])
    ]
    few, many = reduce(add, blocks[:2]), reduce(add, blocks)
    assert (few.levels, few.uncounted) == ({"a": 2, "b": 1, "c": 1}, 0)
    assert (many.levels, many.uncounted, many.missing) == ({}, 7, 1)
    assert reduce(add, blocks[::-1]) == (blocks[0] + blocks[1]) + (blocks[2] + blocks[3]) == many
    CategoryColumn.learnt("h", settings, few)
    with pytest.raises(TooManyTextsError):
        CategoryColumn.learnt("h", settings, many)
    assert learnt("a", "b").unseen_levels(many) == {"more than 3 texts": 7}


def test_a_column_that_cannot_be_learnt() -> None:
    many = [f"level {index}" for index in range(MOST_LEVELS + 1)] * 9
    with pytest.raises(TooManyLevelsError) as caught:
        learnt(*many)
    assert not caught.value.is_label
    assert len(learnt(*many, unseen="reference").levels) == MOST_LEVELS + 1
    assert len(learnt(*many, "once", min_count=2).levels) == MOST_LEVELS + 1
    with pytest.raises(TooManyLevelsError) as caught:
        learnt(*map(str, range(100)))
    assert caught.value.is_label
    with pytest.raises(TooManyLevelsError):
        learnt(*map(str, range(2000)), unseen="reference")
    with pytest.raises(EmptyColumnError):
        learnt("", "")
    assert learnt("", "", missing="level").encoded_names == ()
    with pytest.raises(LevelError, match='no level "gsa" .*; did you mean "gas"'):
        learnt("gas", "oil", reference="gsa")


@pytest.mark.parametrize(
    ("level", "settings"), [("(missing)", {"missing": "level"}), ("(rare)", {"min_count": 1})]
)
def test_a_text_with_the_name_of_a_special_level(level: str, settings: dict[str, Any]) -> None:
    with pytest.raises(LevelError, match="change that text in the file"):
        learnt("a", "b", level, **settings)
    column = learnt("a", "a", level)
    assert column.encoded_names == (f"h[{level}]",), "without the policy it is a text as any other"
    assert encoded(column, level) == [[1.0]]


def test_a_label_is_visible_short_and_its_own() -> None:
    assert label('a,b "c" |') == 'a,b "c" |'
    assert label("a\nb\tc\0\u200b") == r"a\nb\tc\x00\u200b"
    first, second = label("x" * 10_000 + "1"), label("x" * 10_000 + "2")
    assert first != second
    assert len(first) < 100
    column = learnt("a\nb", "a\\nb", "c", "c")
    assert len(column.levels) == 3, "the levels themselves are kept apart"
    assert encoded(column, "a\nb") != encoded(column, "a\\nb")


def test_levels_that_look_the_same_are_kept_apart() -> None:
    column = learnt("é", "e\u0301", "É", "é ", "x", "x")
    assert len(column.levels) == 5
    assert len(np.unique(encoded(column, "é", "e\u0301", "É", "é "), axis=0)) == 4


def test_unseen_levels_are_counted() -> None:
    values = texts("a", "new", "", "new", "n2")
    of_rows = CategoryStatistics.of(CategorySettings(kind="category"), values)
    assert learnt("a", "b").unseen_levels(of_rows) == {"new": 2, "n2": 1}
