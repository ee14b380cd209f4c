"""A reader finds a row of the report in the file that it came from."""

import pytest
from report_facts import some_facts
from term_plans import FEATURES, learnt, rows_of_every_kind

from pipeline.report import page_rows
from pipeline.settings.keys.sections import Language


def test_rows_of_one_file_are_told_by_their_numbers_there() -> None:
    rows = [{"file": "data/raw/<a>.csv", "row": "12345"}, {"file": "data/raw/<a>.csv", "row": "2"}]
    columns = page_rows.place_columns(rows)
    assert page_rows.place_header(columns, "en") == ["row"]
    assert [page_rows.place(row, columns) for row in rows] == [["12,345"], ["2"]]
    told = page_rows.numbering(rows, "en")
    assert told.startswith("A row has the number that it has in <bdi>data/raw/&lt;a&gt;.csv</bdi>:")


@pytest.mark.parametrize(
    ("language", "header", "where"),
    [("en", ["file", "row"], "in its file:"), ("zh", ["文件", "行"], "在 其文件 中")],
)
def test_rows_of_several_files_have_their_file_beside_them(
    language: Language, header: list[str], where: str
) -> None:
    rows = [{"file": "a.csv", "row": "7"}, {"file": "b.csv", "row": "7"}]
    columns = page_rows.place_columns(rows)
    assert page_rows.place_header(columns, language) == header
    assert page_rows.place(rows[1], columns) == ["<bdi>b.csv</bdi>", "7"]
    assert where in page_rows.numbering(rows, language)


def test_a_row_is_told_by_every_column_also_those_that_are_only_in_terms() -> None:
    plan = learnt(rows_of_every_kind(), FEATURES, ["log(area)", "-area", "spline(age, 3)"])
    row = {f"column {name}": "7" for name in plan.features}
    told = [*page_rows.values(some_facts(plan), row, "column ")]
    assert len(told) == len(plan.features)
    assert "<bdi>area</bdi> = <bdi>7</bdi>" in told


def test_made_rows_are_counted_and_rows_left_in_place_have_no_number() -> None:
    made = [{"file": "", "row": "3"}]
    assert page_rows.place_columns(made) == ["row"]
    assert page_rows.numbering(made, "en") == "Rows are counted from 1, as they were made."
    left = [{"file": "", "row": ""}]
    assert page_rows.place_columns(left) == []
    assert page_rows.place(left[0], []) == []
    assert page_rows.numbering(left, "zh") == ""
