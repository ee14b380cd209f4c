"""What was left out, filled and folded is said: a line for each kind."""

from mixed_tables import mixed_plan, number_plan

from pipeline.columns import notes
from pipeline.columns.category import CategoryColumn, Level


def test_each_kind_of_change_has_one_line() -> None:
    assert list(notes.of(mixed_plan())) == [
        '2 rows left out, because a value is missing: "area" (2)',
        'missing numbers of training rows filled: "age" with 22.3824 (6)',
        'missing texts of training rows taken as a level: "heating" (10)',
        'rare levels folded into one: "district" (1 row)',
    ]
    assert list(notes.of(number_plan(["a"]))) == []


def test_levels_that_read_the_same_are_told() -> None:
    names = ["Gas", "gas", "e\u0301", "é", "oil"]
    column = CategoryColumn(
        name="h",
        missing_rows=0,
        levels=tuple(Level(name=name, rows=3) for name in names),
        reference="oil",
        unseen="refuse",
        has_missing=False,
        rare_rows=0,
    )
    (told,) = notes.of(number_plan([]).model_copy(update={"columns": (column,)}))
    assert told == (
        "levels that differ only in case, blanks or Unicode form are kept apart:"
        ' "h" has "Gas" (3) and "gas" (3), "h" has \'e\\u0301\' (3) and "é" (3)'
    )
