"""Each form of table that people bring is read with the right settings."""

# ruff: noqa: E501 - a table of tables reads best one to a line

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from own_tables import put
from test_dialects import refusal, rows

CATEGORY, UNITS = "category", {"kind": "number", "units": True}
MISSING = {"kind": "number", "missing": "mean"}
DAY = {"kind": "date", "format": "%m/%d/%y"}


@pytest.mark.parametrize(
    ("content", "asked", "first"),
    [
        ("product,inches,y\nPort\xe1til,29.8,421\n".encode("cp1252"), {"features": {"product": CATEGORY, "inches": "number"}, "encoding": "cp1252"}, {"inches": 29.8, "product": "Port\xe1til"}),
        ("day,y\n2019-03-01,421\n", {"features": {"day": "date"}}, {"day": date(2019, 3, 1)}),
        ("when,at,y\n3/1/18,0.30.00,421\n", {"features": {"when": DAY, "at": CATEGORY}}, {"at": "0.30.00", "when": date(2018, 3, 1)}),
        ("pickup,y\n2019-03-01 10:00:00,421\n", {"features": {"pickup": {"kind": "date", "parts": ["hour"]}}}, {"pickup": datetime(2019, 3, 1, 10)}),
        ("co;temp;y;\n3,5;29,8;10,5;\n;;;\n;;;\n", {"decimal": ",", "drop_rows": "missing_target"}, {"co": 3.5, "temp": 29.8, "y": 10.5}),
        ('"","tv",y\n"1",35,421\n', {"exclude": ["c1"]}, {"tv": 35.0}),
        ("a,smoker,y\n35,yes,421\n50,no,3", {"features": {"smoker": CATEGORY}}, {"smoker": "yes"}),
        ("area,pool,y\nNA,NA,421\n24,Ex,387\n", {"features": {"area": MISSING, "pool": {"kind": "category", "missing": "level"}}}, {"pool": ""}),
        ("area,pool,y\n50,NA,421\n24,Ex,387\n", {"features": {"area": MISSING, "pool": CATEGORY}, "missing": []}, {"pool": "NA"}),
        ("hp,y\n?,421\n35,2\n", {"features": {"hp": {"kind": "number", "missing": "drop_row"}}}, {"hp": 35.0, "y": 2.0}),
        ("hits,y\n35,NA\n50,472\n", {"drop_rows": "missing_target"}, {"hits": 50.0}),
        ("life expectancy , hiv,y\n35,29.8,421\n", {}, {"life expectancy": 35.0, "hiv": 29.8}),
        ("F,0.35,421\nM,0.5,3\n", {"header": False, "features": {"c1": CATEGORY, "c2": "number"}, "targets": ("c3",)}, {"c1": "F", "c2": 0.35, "c3": 421.0}),
        ('income,degree,margin\n"$57,500 ",29.8%,-3%\n', {"features": {"income": UNITS, "degree": UNITS}, "targets": ("margin",), "units": True}, {"income": 57500.0, "degree": 29.8, "margin": -3.0}),
        ("basement,y\nNo,421\nAv,3\n", {"features": {"basement": CATEGORY}}, {"basement": "No"}),
        ('visits,y\n"2,085","4,450"\n871,"3,680"\n', {"thousands": ","}, {"visits": 2085.0, "y": 4450.0}),
    ],
)  # fmt: skip
def test_a_form_of_table(
    workspace: Path, content: str | bytes, asked: dict[str, Any], first: dict[str, Any]
) -> None:
    put(content)
    told = {name: values[0] for name, values in rows("data/raw/t.csv", **asked).items()}
    assert {name: told[name] for name in first} == first


LEVELS = ['a,"b', "two\nlines", "x" * 10_000, "Gas", "gas", "gro\u0308\u00dfe", "gr\u00f6\u00dfe", "\U0001f600"]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_odd_levels_are_kept_apart(workspace: Path, end: str) -> None:
    quoted = ['"' + level.replace('"', '""') + '"' for level in LEVELS]
    put("t,y" + end + "".join(f"{level},1{end}" for level in quoted))
    assert rows("data/raw/t.csv", {"t": CATEGORY})["t"] == LEVELS


def test_a_million_levels(workspace: Path) -> None:
    put("t,y\n" + "".join(f"label {row},1\n" for row in range(1_000_000)))
    assert len(set(rows("data/raw/t.csv", {"t": CATEGORY})["t"])) == 1_000_000
    told = refusal("data/raw/t.csv", features={"t": "number"})
    assert '"label 0" (the first of 1000000 such values)' in told
    assert '"t" holds text that differs in nearly every row' in told


@pytest.mark.parametrize(
    ("content", "asked", "told"),
    [
        ("t,y\nx,1\na\0b,2\n", {"features": {"t": CATEGORY}}, "found bytes that are not text"),
        ("e,x,y\n,1,1\n,2,2\n", {}, '"e" has no value at all\n  write in params.yaml, under data:\n    exclude: [e]'),
        ("x,y\n1e400,1\n", {}, 't.csv:2: 1 value is infinite in "x", in line 2'),
        ("d,y\n2019-03-01,1\n2019-03-02,1\n3/3/2019,1\n", {"features": {"d": "date"}}, 't.csv:4: "d" is "3/3/2019"; must be a date as ISO 8601 writes it'),
        ("d,y\n13/3/2019,1\n3/13/2019,1\n", {}, '"d": no one format fits all'),
        ("d,y\n3/3/2019,1\n", {}, 'the format may be "%d/%m/%Y" or "%m/%d/%Y"; no value tells which'),
        ("d,y\n31/02/2019,1\n30/02/2019,1\n", {"features": {"d": {"kind": "date", "format": "%d/%m/%Y"}}}, 't.csv:2: "d" is "31/02/2019" (the first of 2 such values); must be a date as %d/%m/%Y writes it'),
    ],
)  # fmt: skip
def test_bad_input(workspace: Path, content: str, asked: dict[str, Any], told: str) -> None:
    put(content)
    assert told in refusal("data/raw/t.csv", **asked)
