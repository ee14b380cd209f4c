"""Messages are in our words and of a readable length."""

import datetime
import functools
import itertools
import json
import math
import re

import pytest
from conftest import job
from pydantic import ValidationError

from pipeline.settings import messages
from pipeline.settings.messages import first_lines, first_of
from pipeline.settings.params import Params, flatten


def test_no_message_is_in_the_words_of_pydantic() -> None:
    wrong: list[object] = [
        None,
        True,
        -1,
        10**40,
        0.5,
        2.5,
        -1.5,
        math.nan,
        "",
        "x" * 9999,
        [],
        [3],
        [[]],
        [""],
    ]
    wrong += [{}, {"a": 1}, b"x", datetime.date(2020, 1, 1)]
    valid = job().model_dump_json()
    for key, value in itertools.product(flatten(job()), wrong):
        values = json.loads(valid)
        *sections, name = key.split(".")
        functools.reduce(dict.__getitem__, sections, values)[name] = value
        try:
            Params.model_validate(values)
        except ValidationError as error:
            told = [text for _, text in messages.problems(error, Params, values)]
            assert told, (key, value)
            for text in told:
                assert re.match(r"found .*; must |missing; |no such key", text), text
                assert "should" not in text, text


def test_of_a_long_list_the_first_items_and_their_number_are_shown() -> None:
    assert [first_of("abcd"[:number], 2) for number in range(5)] == [
        "",
        "a",
        "a, b",
        "a, b and 1 more",
        "a, b and 2 more",
    ]
    assert first_of("ab", 1) == "a and 1 more"
    assert first_lines("abc", 2) == ["a", "b", "and 1 more"]


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (("train", "lr"), "train.lr"),
        (("evaluate", "queries", 0, 2), "evaluate.queries[0][2]"),
        (("x" * 100,), "x" * 57 + "..."),
    ],
)
def test_a_key_is_written_as_people_write_it(key: tuple[str | int, ...], written: str) -> None:
    assert messages.dotted(key) == written


def test_numbers_agree_with_their_unit() -> None:
    assert [messages.count(number, "row") for number in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert messages.count(2000, "row", ",") == "2,000 rows"
