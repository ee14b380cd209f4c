"""The advice about columns of text is true of the column."""

# ruff: noqa: E501 - a table of messages reads best one to a line

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import job
from own_tables import OR_LET, put, refusal

from pipeline.settings.errors import UserError
from pipeline.tables import raw_table


def asked_refusal(name: str = "t.csv", read: dict[str, Any] | None = None, **data: Any) -> str:
    """Return the message that refuses a table. read: changes of data.read."""
    whole = job().data.read.model_dump(mode="json") | (read or {})
    settings = {f"data__{key}": value for key, value in (data | {"read": whole}).items()}
    usual = {"data__features": [], "evaluate__queries": [], "data__source": f"data/raw/{name}"}
    raw = raw_table.find(job(**(usual | settings)).data)
    with pytest.raises(UserError) as caught:
        list(raw.rows())
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # What commas mean is told by the column, then by the others, else both are said.
        ('x,y\n"2,146",1\n"985",2\n"1,001",3\n', ':2: "x" is "2,146" (the first of 2 such values); must be a number\n    "x" holds separators of thousands\n  write in params.yaml, under data:\n    read:\n      thousands: ","'),
        ('x,y\n"2,146",1\n"1,001.5",3\n', ':2: "x" is "2,146" (the first of 2 such values); must be a number\n    "x" holds separators of thousands\n  write in params.yaml, under data:\n    read:\n      thousands: ","'),
        ('x,y\n"0,146",1\n"1,001",3\n', ':2: "x" is "0,146" (the first of 2 such values); must be a number\n    "x" holds decimal commas\n  write in params.yaml, under data:\n    read:\n      decimal: ","'),
        ('x;y\n2,146;1\n1,01;3\n', ':2: "x" is "2,146" (the first of 2 such values); must be a number\n    "x" holds decimal commas\n  write in params.yaml, under data:\n    read:\n      decimal: ","'),
        ('x,y\n"2,146",1\n"1,001",3\n', ':2: "x" is "2,146" (the first of 2 such values); must be a number\n    "x" holds commas, which may divide thousands or be decimal marks: with `thousands: ","` under data: read:, 2,146 is 2146; with `decimal: ","` it is 2.146; write the one that is meant'),
        ('x;z;y\n2,146;2,5;1\n1,001;3,1;3\n', ':2: "z" is "2,5" (the first of 2 such values); must be a number\n    "z", "x" hold decimal commas\n  write in params.yaml, under data:\n    read:\n      decimal: ","'),
        ("x;y\n1 234;1\n", ':2: "x" is "1 234"; must be a number\n    "x" holds signs or blanks beside the digits\n  write in params.yaml, under data:\n    features: {x: {kind: number, units: true}}'),
        # Which columns are of a kind, all at once, and what is left.
        ("a,b,n,y\nF,no,1,1\nM,yes,2,2\nF,yes,3,3\n", ':2: "a" is "F" (the first of 3 such values); must be a number\n    "a", "b" hold text\n  write in params.yaml, under data:\n    features: {a: category, b: category, "n": number}'),
        ("d,t,n,y\n2019-03-01,10:30,1,1\n2019-03-02,11:30:05,2,2\n", ':2: "d" is "2019-03-01" (the first of 2 such values); must be a number\n    "d" holds dates\n    "t" holds times of day\n  write in params.yaml, under data:\n    features: {d: date, t: category, "n": number}'),
        ("c,n,y\n" + "a,1,1\nb,2,2\nc,3,3\n" * 2, ':2: "c" is "a" (the first of 6 such values); must be a number\n    "c" holds text\n  write in params.yaml, under data:\n    features: {c: category, "n": number}'),
        ("name,n,y\n" + "".join(f"no. {row},1,1\n" for row in range(30)), ':2: "name" is "no. 0" (the first of 30 such values); must be a number\n    "name" holds text that differs in nearly every row\n  write in params.yaml, under data:\n    exclude: [name]'),
        (",".join(f"t{number}" for number in range(30)) + ",n,y\n" + ("a," * 30 + "1,1\n") * 2, ':2: "t0" is "a" (the first of 2 such values); must be a number\n    "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12", "t13", "t14", "t15", "t16", "t17", "t18", "t19" and 10 more hold text\n  write in params.yaml, under data:\n    features: {t0: category, t1: category, t2: category, t3: category, t4: category, t5: category, t6: category, t7: category, t8: category, t9: category, t10: category, t11: category, t12: category, t13: category, t14: category, t15: category, t16: category, t17: category, t18: category, t19: category, t20: category, t21: category, t22: category, t23: category, t24: category, t25: category, t26: category, t27: category, t28: category, t29: category, "n": number}'),
        ("p,n,y\n,1,1\nEx,2,2\nNA,3,3\n", ':3: "p" is "Ex"; must be a number\n    "p" holds text\n  data/raw/t.csv:2: 2 values are missing in "p", in lines 2, 4; a gap in a category may also be `missing: drop_row`\n  write in params.yaml, under data:\n    features: {p: {kind: category, missing: level}, "n": number}'),
        ('sep=;\n"x;y\n', ':2: found a quote that is never closed; close it'),
        ("3,F,1\n1,M,2\n", ': found no column "y" (data.targets); its first line must name the columns, and is "3", "F", "1"; if it is a row of values, write `header: false` in params.yaml, under data: read:, and the columns are c1 to c3'),
    ],
)  # fmt: skip
def test_the_advice_is_true(workspace: Path, text: str, told: str) -> None:
    assert refusal(text).split(OR_LET)[0] == f"data/raw/t.csv{told}"


DATE = {"kind": "date", "parts": ["days", "year"]}
DECIMAL = {"read": {"decimal": ","}}


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        ("d,y\n01/02/2019,1\n25/12/2019,2\n", {"features": {"d": DATE}}, 'features: {d: {kind: date, parts: [days, year], format: "%d/%m/%Y"}}'),
        ("d,y\n2019-01-02,1\n2019-12-25,2\n", {"features": {"d": DATE | {"format": "%d/%m/%Y"}}}, 'features: {d: {kind: date, parts: [days, year]}}'),
        ("d,y\n0000-01-01,1\n2019-02-31,2\n2019-02-28,3\n", {"features": {"d": DATE}}, "no one format fits all; correct the lines of the others"),
        # A decimal point is no unit.
        ("x;y\n0.5;1\n1.234;2\n", DECIMAL, '"x" holds decimal points, but `decimal: ","` is written under data: read:'),
        ("x;y\n2.146;1\n1.234;2\n", DECIMAL, 'with `thousands: "."` under data: read:, 2.146 is 2146; with `decimal: "."` it is 2.146; write the one that is meant'),
    ],
)  # fmt: skip
def test_the_advice_keeps_what_was_asked(
    workspace: Path, text: str, asked: dict[str, Any], told: str
) -> None:
    put(text)
    message = asked_refusal(**asked)
    assert told in message
    assert "units" not in message
    assert "category" not in message


def test_what_cannot_be_a_level_is_left_out_or_a_number(workspace: Path) -> None:
    columns = {"a": [b"a", b"b", b"c"], "b": [1.5, 2, 3], "c": ["x", "y", "x"], "y": [1.0, 2, 3]}
    put(pa.table(columns), "t.parquet")
    kinds = dict.fromkeys("abc", "category")
    assert "features: {b: number, c: category}" in asked_refusal("t.parquet", features=kinds)
    # `features: {}` would be refused.
    assert "features: {" not in asked_refusal("t.parquet", features={"a": "category"})
