"""params.yaml with other values: comments and all other bytes stay."""

import difflib

import pytest
from described import PARAMS

from pipeline.profiling.yaml_text import entry, replaced
from pipeline.settings import yaml_file
from pipeline.settings.yaml_values import flow, text


def changed(before: str, after: str) -> list[str]:
    return [
        line for line in difflib.ndiff(before.split("\n"), after.split("\n")) if line[0] in "+-"
    ]


def test_a_value_in_a_line_is_replaced_and_its_comment_stays_in_its_column() -> None:
    after = replaced(PARAMS, ("data", "test_fraction"), "0.2")
    assert changed(PARAMS, after) == [
        "-   test_fraction: 0.0            # share of the rows held out, chosen by the seed",
        "+   test_fraction: 0.2            # share of the rows held out, chosen by the seed",
    ]


def test_a_list_becomes_a_block_and_a_block_becomes_a_list_again() -> None:
    block = replaced(PARAMS, ("data", "targets"), ["    - a", "    - b  # why"])
    assert yaml_file.read(block, "p")[0]["data"]["targets"] == ["a", "b"]  # type: ignore[arg-type]
    assert replaced(block, ("data", "targets"), "[y]") == PARAMS


def test_a_block_with_comments_is_replaced_and_what_follows_stays() -> None:
    before = "a:\n  b:   # keys\n    # of x\n    x: 1\n    y: {z: 2}  # of y\n\n  # of c\n  c: 3\n"
    after = replaced(before, ("a", "b"), ["    w: 0"])
    assert after == "a:\n  b:   # keys\n    w: 0\n\n  # of c\n  c: 3\n"


@pytest.mark.parametrize("old", ["[1,\n    2]", "null", "", '"x"', "\n  - 1\n  - [2,\n     3]"])
def test_values_of_any_form_are_replaced(old: str) -> None:
    before = f"a: 1\nb: {old}\nc: 2 # two\n"
    assert yaml_file.read(replaced(before, ("b",), "5"), "p")[0] == {  # type: ignore[arg-type]
        "a": 1,
        "b": 5,
        "c": 2,
    }


def test_line_ends_of_windows_are_kept() -> None:
    assert replaced("a: 1  # one\r\nb: 2\r\n", ("a",), "3") == "a: 3  # one\r\nb: 2\r\n"


def test_a_key_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        replaced("a: 1\n", ("b",), "2")


@pytest.mark.parametrize(
    "string",
    ["a", "true", "No", "1.5", "2019-01-01", "a: b", "it's", 'say "x"', "\\", " a", "a ", "#", "é",
     "😀", "a\nb", "\t", "\x85", "\u2028", "\x00", "[", "-", "?", "~", "null", "1e3", "=", "<<",
     "data/raw/a.csv", "data/raw/x 1.csv", "", "\ufeff", "nan", "y"],
)  # fmt: skip
def test_every_text_is_read_back(string: str) -> None:
    document = f"{text('k')}: {flow({string: string, 'l': [string]})}\n"
    if string == "\x00":  # U+0000 is allowed in quotes alone
        assert '"\\U00000000"' in document
    assert yaml_file.read(document, "p")[0] == {  # type: ignore[arg-type]
        "k": {string: string, "l": [string]}
    }


def test_a_long_comment_is_written_above_its_entry() -> None:
    lines = entry("    a: number", "why " * 40)
    assert lines[-1] == "    a: number"
    assert all(line.startswith("    # ") and len(line) <= 100 for line in lines[:-1])
    assert entry("    a: number", "why") == [f"{'    a: number':<32}# why"]
