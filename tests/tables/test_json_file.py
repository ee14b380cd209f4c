"""JSON files are lists of flat records, or one record after the other."""

from pathlib import Path

import pytest
from own_tables import put
from test_dialects import refusal, rows


def test_records_with_gaps_and_mixed_types(workspace: Path) -> None:
    put(
        '[{"n": 1, "t": "é", "f": true, "y": 1.5}, {"y": 2, "t": null, "f": false, "n": "2.5"},'
        ' {"n": null, "y": 3, "t": 7}]',
        "t.json",
    )
    category = {"kind": "category", "missing": "level"}
    asked = {"n": {"kind": "number", "missing": 0.0}, "t": category, "f": category}
    told = rows("data/raw/t.json", asked)
    assert str(told["n"]) == "[1.0, 2.5, nan]"
    assert told["t"] == ["é", "", "7"]
    assert told["f"] == ["true", "false", ""]
    assert told["y"] == [1.5, 2, 3]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "t.json: found no records; must be a list of mappings"),
        ("[]", "t.json: found no records; must be a list of mappings"),
        ('{"x": {"a": 1}, "y": 2}', 't.json:1: "x" is a mapping; records must be flat'),
        ('[{"x": 1, "y": 2}, {"x": [1], "y": 2}]', 't.json:2: "x" is a list; records must be flat'),
        ('[{"x": 1, "y": 2}, {"x": 1', "t.json:2: record 2 is not JSON ("),
        ('[{"x": 1, "y": 2}', "t.json:2: record 2 is not JSON (the end of the list is missing)"),
        ('[{"x": "\\ud800", "y": 2}]', "t.json: found half of a character"),
        ('{"x": 1, "y": 2, "x": 3}', 't.json:1: found the name "x" twice in record 1'),
        ("[1, 2]", "t.json:1: found 1; must be a list of records"),
        ('[{"x": 9007199254740993, "y": 2}]', 't.json:1: "x" is 9007199254740993, an integer that'),
        ('[{"x": Infinity, "y": 2}]', 't.json:1: 1 value is infinite in "x", in record 1'),
    ],
)
def test_what_is_refused(workspace: Path, content: str, told: str) -> None:
    put(content, "t.json")
    assert told in refusal("data/raw/t.json")
