"""The advice about columns of text is true of the column."""

# ruff: noqa: E501 - a table of messages reads best one to a line

from pathlib import Path

import pytest
from own_tables import refusal


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # What commas mean is told by the column, then by the others, else both are said.
        ('x,y\n"2,146",1\n"985",2\n"1,001",3\n', '"x" holds separators of thousands: write the numbers without them'),
        ('x,y\n"2,146",1\n"1,001.5",3\n', '"x" holds separators of thousands: write the numbers without them'),
        ('x,y\n"0,146",1\n"1,001",3\n', '"x" holds decimal commas: write decimals with a point'),
        ('x;y\n2,146;1\n1,01;3\n', '"x" holds decimal commas: write decimals with a point'),
        ('x,y\n"2,146",1\n"1,001",3\n', '"x" holds commas, which may divide thousands or be decimal points: write the numbers without them, or with a point, whichever it is'),
        ('x;z;y\n2,146;2,5;1\n1,001;3,1;3\n', '"z", "x" hold decimal commas: write decimals with a point'),
        ("x;y\n1 234;1\n", '"x" holds separators of thousands: write the numbers without them'),
        # Which columns are of a kind, all at once, and what is left.
        ("a,b,n,y\nF,no,1,1\nM,yes,2,2\nF,yes,3,3\n", '; must be a number\n  "a" holds text with two values: write it as 0 and 1\n  "b" holds yes and no: write yes as 1 and no as 0\n  leave it out with this line in params.yaml, under data:\n  features: ["b", "n"]'),
        ("d,t,n,y\n2019-03-01,10:30,1,1\n2019-03-02,11:30:05,2,2\n", '"d", "t" hold dates or times: write them as numbers, such as days since some date, or leave them out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("c,n,y\n" + "a,1,1\nb,2,2\nc,3,3\n" * 2, '"c" holds text: make a column of 0 and 1 for each value but one, or leave it out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("name,n,y\n" + "".join(f"no. {row},1,1\n" for row in range(30)), '"name" holds text: leave it out with this line in params.yaml, under data:\n  features: ["n"]'),
        (",".join(f"t{number}" for number in range(30)) + ",n,y\n" + ("a," * 30 + "1,1\n") * 2, '"t19" and 10 more hold text: leave them out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("p,n,y\n,1,1\nEx,2,2\nNA,3,3\n", '"p" holds text: leave it out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("sep=|\nx|y\n", 't.csv:1: found the separator "|"; must be a comma, a semicolon or a tab; save the table with one of them'),
        ('sep=;\n"x;y\n', "t.csv:2: found a quote that is never closed; close it"),
        ("x,y,\n1,2,\n", 'found no name for column 3: the first line ends with a separator; leave it out with this line in params.yaml, under data:\n  features: ["x"]'),
        ("3,F,1\n1,M,2\n", 'its first line must name the columns, and is "3", "F", "1"'),
    ],
)  # fmt: skip
def test_the_advice_is_true(workspace: Path, text: str, told: str) -> None:
    assert refusal(text).endswith(told)
