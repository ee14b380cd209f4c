"""Ranges of a command line: their numbers, and what is no range."""

from decimal import Decimal

import numpy as np
import pytest

from pipeline.settings import ranges
from pipeline.settings.errors import UserError
from pipeline.settings.ranges import Span


def grid(argument: str, whole: bool = False) -> tuple[object, ...]:
    (only,) = ranges.read([argument], are_drawn=False)
    return only.grid(whole=whole)


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("train.lr=log:1e-4..1e-1:4", (0.0001, 0.001, 0.01, 0.1)),
        ("train.momentum=lin:0..1:5", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("train.lr=log:1..3:3", (1.0, 1.73205, 3.0)),
        ("train.lr=log:0.123456789..1:1", (0.123456789,)),
        ("a=0,0.9,1e-3", (0, 0.9, 0.001)),
        ("a=null,true,sgd,043", (None, True, "sgd", 43)),
        ("a=1,1,2", (1, 2)),
        ("a=1,1.0,true", (1, 1.0, True)),
    ],
)
def test_values(argument: str, values: tuple[object, ...]) -> None:
    assert [repr(value) for value in grid(argument)] == [repr(value) for value in values]


def test_whole_numbers_are_rounded_and_each_is_there_once() -> None:
    assert grid("train.epochs=log:1..10:7", whole=True) == (1, 2, 3, 5, 7, 10)


def test_random_numbers_lie_in_the_range_and_follow_the_scale() -> None:
    random = np.random.Generator(np.random.PCG64(0))
    drawn = [Span(True, Decimal("1e-4"), Decimal(1), None).draw(random) for _ in range(1000)]
    assert 1e-4 <= min(drawn) < 2e-4
    assert 0.8 < max(drawn) <= 1
    assert 0.005 < float(np.median(drawn)) < 0.02


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("train.lr", 'found "train.lr"; must be KEY=VALUES'),
        ("=3", 'found "=3"; must be KEY=VALUES'),
        ("a=", "a: found ; must be log:LOW..HIGH:COUNT, lin"),
        ("a=1,,2", "must be log:LOW..HIGH:COUNT, lin"),
        ("a=[1", "must be log:LOW..HIGH:COUNT, lin"),
        ("a={b: 1}", "must be log:LOW..HIGH:COUNT, lin"),
        ("a=log:0..1:3", "must begin above 0"),
        ("a=lin:1..0:3", "write lin:0..1"),
        ("a=lin:1..x:3", "with finite numbers"),
        ("a=lin:1..1e999:3", "with finite numbers"),
        ("a=log:1..2", "write log:1..2:10"),
        ("a=log:1..2:0", "the count must be an integer from 1"),
        ("a=log:1..2:1.5", "the count must be an integer from 1"),
    ],
)
def test_mistakes(argument: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        grid(argument)
    assert message in str(error.value)


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(UserError) as error:
        ranges.read(["a", "b=log:0..1:2", "c=1", "c=2"], are_drawn=False)
    assert str(error.value).splitlines() == [
        "3 mistakes in the command line",
        '  found "a"; must be KEY=VALUES, e.g. train.lr=0.1',
        "  b: found log:0..1:2; a logarithmic range must begin above 0",
        "  c: it is there twice; put its values into one list",
    ]


def test_a_range_to_draw_from_needs_no_count() -> None:
    (drawn,) = ranges.read(["a=log:1..2"], are_drawn=True)
    assert isinstance(drawn.values, Span)
    assert drawn.values.count is None
