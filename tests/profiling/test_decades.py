"""A logarithm is suggested where numbers span decades and it makes them less lopsided."""

import math

import pytest
from described import described, lines

from pipeline.profiling import remarks


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)


def told(table: str, target: str = "y") -> list[str]:
    notes = remarks.of(*described(table, target))
    return [each.text for each in notes if each.subject == "decades"]


def spread(row: int) -> float:
    return round(math.exp(math.log(2) * (row * 37 % 101) / 9), 4)


def test_what_to_write_for_a_target_and_for_a_feature() -> None:
    text = lines("area,price", spread, lambda row: 3 * spread(row + 5))
    area, price = told(text, "price")
    assert 'times the smallest; `terms: ["log(area)"]` adds its logarithm as a feature' in area
    assert "`targets: {price: log}` fits its logarithm, and answers medians" in price


@pytest.mark.parametrize(
    "numbers",
    [
        lambda row: spread(row) - 1,  # a zero
        lambda row: 1 + row % 99,  # spread evenly: the logarithm would be lopsided
        lambda row: [1, 1000][row % 2],  # two numbers
        lambda row: 50 + spread(row) / 100,  # less than two decades
    ],
)
def test_no_logarithm_where_it_would_not_help(numbers) -> None:  # type: ignore[no-untyped-def]
    assert told(lines("x,y", numbers, lambda row: row * 29 % 13)) == []
