"""Remarks: each trouble of a table is named, with its column."""

from collections import Counter

import pytest
from described import described, lines, subjects

from pipeline.profiling import remarks
from pipeline.profiling.number_marks import marks


def x(row: int) -> float:
    return (row * 37 % 101) / 7


def y(row: int) -> float:
    return round(3 * x(row) + row * 29 % 13, 3)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("table", "remark"),
    [
        (lines("c,x,y", lambda row: f"car {row}", x, y), ("c", "label")),
        (lines("no,x,y", lambda row: row + 1, x, y), ("no", "row number")),
        (lines("k,x,y", [7], x, y), ("k", "constant")),
        (lines("a,b,y", x, x, y), ("b", "duplicate")),
        (lines("a,b,x,y", ["u", "v"], ["u", "v"], x, y), ("b", "duplicate")),
        (lines("x,y", lambda row: -999 if row % 9 == 0 else row, y), (None, "missing")),
        (lines("x,y", lambda row: "unknown" if row % 9 == 0 else x(row), y), (None, "missing")),
        (lines("r,x,y", lambda row: int(row == 3), x, y, rows=200), ("r", "99 %")),
        (lines("v,y", lambda row: f'"1,{100 + row}"', y), (None, "thousands")),
        (lines("v,y", lambda row: f"${row}", y), ("v", "units")),
        (lines("v,x,y", lambda row: f"{row} {'kg' if row % 2 else 'lb'}", x, y), ("v", "units")),
        (lines("d,y", lambda row: f"{row % 12 + 1}/{row % 11 + 1}/2019", y), ("d", "date")),
        (lines("d,y", lambda row: 20190301 + row % 28, y), ("d", "date")),
        (lines("t,x,y", lambda row: f"{row % 4}:30", x, y), ("t", "clock")),
        (lines("c,y", ["a", "A", "b"], y), ("c", "alike")),
        (lines("c,y", lambda row: f"l{row % 60}", y, rows=600), ("c", "levels")),
        (lines("c,y", lambda row: row % 4, y), ("c", "codes")),
        (lines("c,y", ["a", "", "b"], y), ("c", "gaps")),
        (lines("x,y", x, lambda row: y(row) if row % 9 else ""), ("y", "target")),
        (lines(",x,y", ["a", "b"], x, y), ("c1", "unnamed")),
        (lines("x,y", lambda row: 2.0 ** (row * 37 % 101 / 9), y), ("x", "decades")),
        (lines("x,y", x, lambda row: 2.0 ** (row * 37 % 101 / 9)), ("y", "decades")),
    ],
)
def test_each_trouble_is_named(table: str, remark: tuple[str | None, str]) -> None:
    assert remark in subjects(table)


def test_the_century_of_years_of_two_digits_is_told() -> None:
    profile, proposal = described(
        lines("d,y", lambda row: f"{row % 28 + 1}.3.{40 + row}", y, rows=59)
    )
    told = "years of two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068"
    assert told in [remark.text for remark in remarks.of(profile, proposal)]


def test_levels_are_not_called_numbers_for_a_dash_among_them() -> None:
    assert subjects(lines("c,x,y", ["none", "public", "-"], x, y)) == set()


def test_a_table_without_trouble_has_no_remarks() -> None:
    assert subjects(lines("x,c,y", x, ["a", "b"], y)) == set()


def test_a_target_that_is_a_sum_is_a_leak_whatever_float64_makes_of_it() -> None:
    def total(row: int) -> str:
        return f"{row / 10 + row * 7 % 11 / 10:.1f}"

    table = lines("a,b,x,y", lambda row: row / 10, lambda row: row * 7 % 11 / 10, x, total)
    profile, proposal = described(table)
    (leak,) = [each for each in remarks.of(profile, proposal) if each.subject == "leak"]
    assert '"y" = "b" + "a"' in leak.text
    nearly = table.replace("\n0.3,", "\n0.4,")
    assert ("y", "leak") not in subjects(nearly)


def test_a_target_that_is_linear_in_all_features_is_a_leak() -> None:
    table = lines("a,b,c,y", x, lambda row: 3 * row, lambda row: row * row,
                  lambda row: 2 * row * row - 9 * row + 7)  # fmt: skip
    profile, proposal = described(table)
    (leak,) = [each for each in remarks.of(profile, proposal) if each.subject == "leak"]
    assert leak.text.startswith('"y" = - 3 · "b" + 2 · "c" + 7 in every row')


def test_both_readings_of_a_date_are_said() -> None:
    table = lines("d,y", lambda row: f"{row % 12 + 1}/{row % 11 + 1}/2019", y)
    profile, proposal = described(table)
    texts = [each.text for each in remarks.of(profile, proposal) if each.subject == "date"]
    assert texts == ['"1/1/2019" may be %m/%d/%Y or %d/%m/%Y: all values are dates either way']
    assert "%d/%m/%Y" in proposal.features["d"].why


@pytest.mark.parametrize(
    ("forms", "meaning"),
    [
        ({"decimal_comma": 5}, (",", None)),
        ({"point_groups": 5, "decimal_comma": 2}, (",", ".")),
        ({"comma_groups": 5}, (".", ",")),
        ({"one_comma_group": 5, "point": 1}, (".", ",")),
        ({"blank_groups": 5}, (".", " ")),
        ({"apostrophe_groups": 5}, (".", "'")),
        ({"plain": 5}, (".", None)),
    ],
)
def test_marks_in_numbers(forms: dict[str, int], meaning: tuple[str, str | None]) -> None:
    assert marks({"x": Counter(forms)})[:2] == meaning


def test_a_comma_before_three_digits_alone_is_doubtful() -> None:
    profile, _ = described(lines("v,y", lambda row: f'"1,{100 + row}"', lambda row: row * row % 71))
    assert "could be decimal commas" in profile.notes["thousands"]
