"""Tables as people bring them: what is proposed is learnt at the first try, and nothing refused."""

import gzip
import json
import warnings
from pathlib import Path

import pyarrow as pa
import pytest
from described import described, features, learnt, left_out, lines

from pipeline.profiling import job, query, remarks
from pipeline.settings.errors import UserError


def x(row: int) -> float:
    return (row * 37 % 101) / 7


def y(row: int) -> float:
    return round(3 * x(row) + row * 29 % 13, 3)


def plain(rows: int = 60) -> str:
    return lines("x,y", x, y, rows=rows)


TABLES = {
    "numbers": plain(),
    "few rows": plain(9),
    "semicolons and decimal commas": plain().replace(",", ";").replace(".", ","),
    "tabs": plain().replace(",", "\t"),
    "vertical bars": plain().replace(",", "|"),
    "blanks": plain().replace(",", "   "),
    "CR line ends": plain().replace("\n", "\r"),
    "title, comment and footer": f"My table\n\n{plain()}Source: a book\n",
    "comments": f"# made by hand\n# in 2019\n{plain()}",
    "a level in each case": lines("c,y", ["a", "b", "c"], y),
    "rare levels": lines("c,y", ["a", "b", *("abcdefgh")], y),
    "sixty levels": lines("c,y", lambda row: f"l{row % 60}", y, rows=600),
    "levels of which all are rare": lines("c,x,y", lambda row: f"l{row // 2}", x, y),
    "yes and no": lines("c,d,y", ["yes", "no"], ["t", "f", "f"], y),
    "a label": lines("name,x,y", lambda row: f"car {row}", x, y),
    "row numbers without a name": lines(",x,y", lambda row: row + 1, x, y),
    "an id": lines("user_id,x,y", lambda row: 5000 - 7 * row, x, y),
    "gaps of numbers": lines("x,z,y", x, ["1.5", "", "?", "4", "2"], y),
    "gaps of levels": lines("c,y", ["a", "NA", "b"], y),
    "gaps of the target": lines("x,y", x, lambda row: y(row) if row % 7 else ""),
    "dates": lines("d,y", lambda row: f"2019-{row % 12 + 1:02}-{row % 28 + 1:02}", y),
    "dates of three years": lines(
        "d,y", lambda row: f"{2019 + row % 4}-{row % 12 + 1:02}-{row % 28 + 1:02}", y, rows=900
    ),
    "dates with the day first": lines("d,y", lambda row: f"{row % 28 + 1}/3/2019", y),
    "dates that may be either": lines("d,y", lambda row: f"{row % 12 + 1}/{row % 11 + 1}/2019", y),
    "dates with gaps": lines("d,y", lambda row: f"2019-03-{row % 28 + 1:02}" if row else "", y),
    "times": lines("d,y", lambda row: f"2019-03-{row % 28 + 1:02} {row % 24:02}:30:00", y),
    "thousands": lines("v,y", lambda row: f'"{row + 1},{100 + row}"', y),
    "currency and per cent": lines(
        "v,p,y", lambda row: f'"${row + 1},{100 + row}"', lambda row: f"{row * 29 % 53}%", y
    ),
    "a target with a unit": lines("x,y", x, lambda row: f"{y(row)} kg"),
    "a sentinel": lines("x,z,y", x, lambda row: -999 if row % 9 == 0 else row * 17 % 23, y),
    "a word for a gap": lines("x,z,y", x, lambda row: "unknown" if row % 9 == 0 else x(row), y),
    "a constant and an empty column": lines("k,e,x,y", ["7"], [""], x, y),
    "columns without end": lines("x,y,,", x, y, [""], [""]),
    "a column called bias": lines("bias,x,y", x, lambda row: row * row, y),
    "a name for YAML": lines("yes,1,y", x, lambda row: row * row % 71, y),
    "levels for YAML": lines('c,y', ["true", "1.5x", "a: b", "''", "[x]"], y),
    "codes with zeros": lines("zip,y", ["02134", "10001", "90210"], y),
    "two equal columns": lines("a,b,y", x, x, y),
    "many columns": lines(
        ",".join([f"c{n}x" for n in range(30)] + ["y"]),
        *[lambda row, n=n: "abcd"[(row * n + n) % 4] for n in range(30)], y, rows=30,
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_becomes_a_plan_at_the_first_try(kind: str) -> None:
    plan = learnt(TABLES[kind])
    assert plan.columns
    assert plan.rows.training


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_table_in_any_encoding_becomes_a_plan(encoding: str) -> None:
    text = lines("café,y", ["Zoë", "Ana"], y)
    assert learnt(text.encode(encoding)).encoded_names in (("café[Zoë]",), ("café[Ana]",))


def test_other_kinds_of_files_become_plans() -> None:
    assert learnt(gzip.compress(plain().encode()), name="t.csv.gz").features == ("x",)
    records = [{"x": x(row), "c": "ab"[row % 2], "y": y(row)} for row in range(60)]
    assert learnt(json.dumps(records), name="t.json").features == ("x", "c")
    table = pa.table({
        "t": pa.array([row % 2 == 0 for row in range(60)]),
        "d": pa.array(["a", "b", None] * 20).dictionary_encode(),
        "w": pa.array(range(18_000, 18_060), pa.int32()).cast(pa.date32()),
        "nested": pa.array([[row] for row in range(60)]),
        "y": pa.array([y(row) for row in range(60)]),
    })  # fmt: skip
    plan = learnt(table, name="t.parquet")
    assert plan.features == ("t", "d", "w")


def test_numbers_with_gaps_get_the_mean_and_an_indicator() -> None:
    z = features(TABLES["gaps of numbers"])["z"]
    assert z == {"kind": "number", "missing": "mean", "indicator": True}


def test_rare_levels_are_folded_and_others_are_not() -> None:
    rare = lines("c,y", lambda row: f"p{row}" if row < 3 else "qr"[row % 2], y)
    assert features(rare)["c"]["min_count"] == 5
    assert features(TABLES["a level in each case"])["c"] == {"kind": "category"}


def test_what_is_no_feature_is_left_out_with_the_reason() -> None:
    assert "label" in left_out(TABLES["a label"])["name"]
    assert "row number" in left_out(TABLES["row numbers without a name"])["c1"]
    assert "an id" in left_out(TABLES["an id"])["user_id"]
    constant = left_out(TABLES["a constant and an empty column"])
    assert constant == {"k": "the same in every row", "e": "no values"}


def test_a_year_that_rises_by_one_is_a_feature() -> None:
    assert "year" in features(lines("year,y", lambda row: 1947 + row, y, rows=16))
    assert "day" in features(lines("day,y", lambda row: 1 + row, y, rows=16))


def test_a_copy_of_the_target_is_left_out() -> None:
    assert "the target" in left_out(lines("x,same,y", x, y, y))["same"]


def test_month_and_weekday_need_rows_of_each() -> None:
    assert "month" not in features(TABLES["dates"])["d"]["parts"]
    assert "month" in features(TABLES["dates of three years"])["d"]["parts"]


def test_the_weekdays_of_dates_that_are_years_apart_are_no_part() -> None:
    table = lines("d,y", lambda row: f"{1900 + row % 100}-01-01", y, rows=2_000)
    assert features(table)["d"]["parts"] == ["days"]


def test_few_rows_never_get_more_columns_than_half_of_them() -> None:
    plan = learnt(TABLES["many columns"])
    assert len(plan.encoded_names) <= 15
    reasons = left_out(TABLES["many columns"])
    assert "30 rows allow 15 columns at the most" in reasons.values()


def test_rows_are_held_out_only_where_there_are_fifty() -> None:
    assert described(plain(60))[1].fraction == 0.2
    assert described(plain(49))[1].fraction == 0


def test_a_user_leaves_a_column_out() -> None:
    _, proposal = described(TABLES["two equal columns"], exclude="a")
    assert list(proposal.features) == ["b"]


def test_a_table_without_a_feature_is_refused_with_each_reason() -> None:
    with pytest.raises(UserError, match=r'no column that can be a feature\n  "name": a label'):
        described(lines("name,y", lambda row: f"n{row}", y))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("z", r'no column "z"; it has "x", "Price"'),
        ("price", r'no column "price"; did you mean "Price"\?'),
    ],
)
def test_an_unknown_target_is_refused_with_the_names(target: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        described(lines("x,Price", x, y), target)


def test_a_target_of_text_is_refused_with_the_columns_of_numbers() -> None:
    with pytest.raises(UserError, match=r'"c" holds text, such as "a"; columns of numbers: "x"'):
        described(lines("x,c", x, ["a", "b"]), "c")


def test_a_file_without_names_has_columns_by_place() -> None:
    text = "35,29.8,421.2\n50,30.6,472.3\n24,30.1,387.4\n27,31.1,389.4\n29,30.2,391.1\n"
    with pytest.raises(UserError, match=r"by their places; it has c1 \(35\), c2 \(29.8\)"):
        described(text, "price")
    assert list(features(text, "c3")) == ["c1", "c2"]


def test_a_comma_before_three_digits_is_decimal_where_semicolons_separate() -> None:
    content = lines("x;y", lambda row: f"{row % 7 + 1},{100 + row};{row * 7 % 13}")
    profile, proposal = described(content)
    assert (proposal.read.decimal, proposal.read.thousands) == (",", None)
    doubt = "could divide thousands as well: 1,234 is 1.234 or 1234"
    assert profile.notes["decimal"] == doubt
    assert any(doubt in remark.text for remark in remarks.of(profile, proposal))
    learnt(content)
    assert f'      ","{" " * 23}# {doubt}\n' in Path("params.yaml").read_text()


def test_why_a_number_is_a_gap_is_a_comment_and_stays_one() -> None:
    content = lines("x,z,y", x, lambda row: -999 if row % 9 == 0 else row * 17 % 23, y)
    learnt(content)
    first = Path("params.yaml").read_text()
    told = '-999 in 7 rows of "z", whose other values lie between 0 and 22'
    assert f"      # {told}\n      [" in first
    profile, proposal = described(content)
    again = job.written(first, "data/raw/t.csv", proposal, query.row(profile, proposal))
    assert again == first


def test_terms_of_another_table_are_taken_out() -> None:
    content = lines("x,z,y", x, lambda row: row * 17 % 23, y)
    learnt(content)
    before = Path("params.yaml").read_text().replace("  terms: [] ", '  terms: ["x^2"] ')
    profile, proposal = described(content.replace("x,z,y", "v,w,y"))
    row = query.row(profile, proposal)
    assert "\n  terms: [] " in job.written(before, "data/raw/t.csv", proposal, row)


def test_a_level_is_not_taken_for_a_gap_beside_levels_with_digits() -> None:
    content = lines("c,y", lambda row: f"z{row % 3}" if row else "other", y, rows=80)
    assert described(content)[1].read.missing is None


def test_a_total_at_the_end_is_no_row() -> None:
    _, proposal = described(lines("x,y", x, y) + "Total,1000\n")
    assert proposal.read.footer_lines == 1
    # Where others have the word, it is a level.
    content = lines("c,y", ["a", "total"], y, rows=60)
    assert described(content)[1].read.footer_lines == 0


def test_rows_that_begin_as_a_comment_are_not_lost() -> None:
    content = "# by hand\n" + lines("c,x,y", ["#1", "#2", "b"], x, y)
    profile, proposal = described(content)
    assert (profile.rows, proposal.read.comment, proposal.read.skip_lines) == (60, None, 1)
    assert [level.name for level in learnt(content).columns[0].levels] == ["#1", "#2", "b"]  # type: ignore[union-attr]


def test_what_cannot_be_used_is_left_out() -> None:
    content = lines("a,x,y", lambda row: "inf" if row == 3 else row % 9, x, y)
    assert left_out(content) == {"a": "infinite values"}
    content = lines("a,x,y", lambda row: "1e400" if row == 3 else 5, x, y)
    assert left_out(content) == {"a": "infinite values"}
    with warnings.catch_warnings(action="error"):
        assert left_out(lines("a,x,y", lambda row: f"{row % 7 - 3}e307", x, y)) == {}
    texts = pa.table({"c": ["u\0", "v"] * 30, "x": [1.0, 2.0] * 30, "y": [1.0, 2.5] * 30})
    assert left_out(texts, name="t.parquet")["c"] == "texts with the character NUL"
    with pytest.raises(UserError, match="found bytes that are not text"):
        described("c,y\n" + "".join(f"x{row % 3}\0,{row}\n" for row in range(60)))


def test_none_and_a_dash_are_levels_of_a_text_and_gaps_of_a_number() -> None:
    content = lines("c,z,y", ["none", "part", "-"], ["1.5", "-", "none", "4", "2"], y)
    assert features(content) == {
        "c": {"kind": "category"},
        "z": {"kind": "number", "missing": "mean", "indicator": True},
    }
    plan = learnt(content)
    assert [level.name for level in plan.columns[0].levels] == ["-", "none", "part"]  # type: ignore[union-attr]
    assert features(lines("c,y", ["none", "-"], y)) == {"c": {"kind": "category"}}
    zips = lines("z,y", ["02134", "10001", "-"], y)
    assert described(zips)[1].read.missing is None
    # Also where another column has a word of its own for a gap.
    content = lines("c,z,y", ["none", "part", "-"], ["1.5", "-", "unknown", "4", "2"], y)
    assert features(content)["c"] == {"kind": "category"}
    assert features(content)["z"]["missing"] == "mean"
    assert len(learnt(content).columns[0].levels) == 3  # type: ignore[union-attr]


def test_yes_and_no_stay_two_levels_however_few_rows_there_are() -> None:
    table = lines("a,c,y", lambda row: "no" if row % 2 else "yes", y, y, rows=8)
    assert features(table)["a"] == {"kind": "category"}


def test_a_column_is_never_folded_into_a_single_level() -> None:
    texts = [lambda row, by=by: "pqr"[row // by % 3] for by in (1, 2, 4)]
    plan = learnt(lines("a,b,c,y", *texts, lambda row: row**2, rows=15))
    assert plan.columns
    assert all(column.encoded_names for column in plan.columns)
