"""The advice about columns of text is true of the column."""

# ruff: noqa: E501 - a table of messages reads best one to a line

from pathlib import Path

import pytest
from own_tables import OR_LET, refusal


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
