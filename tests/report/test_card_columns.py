"""The card's tables say of each raw column what the model takes, fills, folds and refuses."""

from mixed_tables import mixed_plan, number_plan
from raw_plans import a_plan, category

from pipeline.columns.plan import Plan
from pipeline.report import card_columns


def lines(plan: Plan) -> dict[str, str]:
    """Return the rows of all tables, by their first cell."""
    rows = [line for line in card_columns.tables(plan) if line.startswith("| ")]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


def test_each_kind_has_a_table_with_what_becomes_of_it() -> None:
    plan = mixed_plan()
    rows = lines(plan)
    age = next(column for column in plan.columns if column.name == "age")
    assert age.kind == "number"
    assert rows["age"].endswith(f"| 6 | replaced by {age.fill:.6g}; age\\[missing\\] is then 1 |")
    assert rows["area"].endswith("| 0 | refused |")
    assert rows["heating"] == (
        "| heating | gas 20 (reference), oil 10, (missing) 10 | the level (missing) | refused |"
    )
    assert rows["district"] == (
        "| district | north 26 (reference), south\\|west 13, (rare) 1 | refused"
        " | answered as (rare) |"
    )
    assert rows["sold"] == (
        "| sold | 2020-01-01 | 2020-03-19 | days as a number; month 1, 2, 3 (reference 1)"
        " | refused |"
    )


def test_what_was_left_out_is_counted_with_its_reason() -> None:
    text = "\n".join(card_columns.left_out(mixed_plan()))
    assert "Of 42 rows 2 were left out: area was missing in 2." in text
    assert "Columns of the source that the model does not use: id." in text
    plain = number_plan(["a"])
    assert [*card_columns.left_out(plain)] == []
    in_time = plain.model_copy(update={"rows": plain.rows.model_copy(update={"gap": 3})})
    told = f"Of {plain.rows.source:,} rows 3 were left out, because their days lie between"
    assert told in "".join(card_columns.left_out(in_time))


def test_what_is_refused_names_its_columns() -> None:
    text = card_columns.refused(mixed_plan())
    assert text.startswith(
        "Refused: a missing value in area, district, sold; a level that no training row has, of"
        " heating; a date whose part no training row has, of sold (month). "
    ), text


def test_many_levels_are_counted() -> None:
    (district,) = [each for each in mixed_plan().columns if each.name == "district"]
    assert district.kind == "category"
    names = [f"level {index:02}" for index in range(30)]
    many = district.model_copy(
        update={"levels": tuple(district.levels[0].model_copy(update={"name": n}) for n in names)}
    )
    plan = mixed_plan().model_copy(update={"columns": (many,)})
    assert " and 19 more |" in lines(plan)["district"]


def test_a_text_may_look_like_the_name_of_a_level_for_gaps() -> None:
    column = category("h", "(missing)", "(rare)")
    assert "| (missing) 2 (reference), (rare) 2 |" in lines(a_plan(column))["h"]
