"""Settings and the values of a column give a division and folds, or a refusal with a cure."""

# ruff: noqa: E501 - messages read best one to a line

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import job

from pipeline.compute import chosen_rows, value_counts
from pipeline.compute.draws import DrawnDivision, DrawnFolds
from pipeline.compute.value_counts import ValueCounts, Valued
from pipeline.settings.errors import UserError
from pipeline.settings.params import Data

NONE: list[Any] = []


def data(**changes: Any) -> Data:
    return job(data__source="data/raw/t.csv", evaluate__queries=[], **changes).data


def held_out(values: Any, **settings: Any) -> chosen_rows.Choice[Any]:
    asked = data(data__test_fraction={"by": "c", **settings})
    return chosen_rows.division(asked, 0, counting(values))


def folds(values: Any, **settings: Any) -> chosen_rows.Choice[Any]:
    asked = data(data__folds={"by": "c", **settings})
    return chosen_rows.folds(asked, 0, counting(values))


def counting(values: Any) -> chosen_rows.CountValues:
    def count_values(column: Valued) -> ValueCounts:
        return ValueCounts.of(column.of(pa.table({"c": values})))

    return count_values


def days(*numbers: int) -> pa.Array:
    return pa.array(numbers, pa.int32()).cast(pa.date32())


TEXTS = [f"customer {row % 10}" for row in range(100)]
DAYS = days(*np.arange(18_262, 18_362).tolist())  # from 2020-01-01 on


def test_without_a_column_the_seed_chooses_row_by_row() -> None:
    asked = data(data__test_fraction=0.3, data__folds=4)

    def none_counted(_: Valued) -> ValueCounts:
        raise AssertionError("no column is read")

    division = chosen_rows.division(asked, 7, none_counted)
    assert division == chosen_rows.Choice(DrawnDivision(7, 0.3))
    assert chosen_rows.folds(asked, 7, none_counted).chosen == DrawnFolds(7, 4)


def test_what_is_said_of_the_choice(capsys: pytest.CaptureFixture[str]) -> None:
    for choice in (
        held_out(TEXTS, share=0.2),
        held_out(DAYS, share=0.2, gap=7),
        held_out(DAYS, share=0.2, gap=0),
        folds(TEXTS),
        folds(DAYS, gap=7, number=3),
    ):
        choice.report()
    assert capsys.readouterr().err.splitlines() == [
        'note: held out: 20 of 100 rows (20.0%), 2 of 10 values of "c"',
        'note: held out: 20 of 100 rows (20.0%), from 2020-03-21 on ("c"); 7 rows of the 7 days before are left out',
        'note: held out: 20 of 100 rows (20.0%), from 2020-03-21 on ("c")',
        'note: folds: 10 values of "c" in 5 folds of 20 to 20 rows',
        'note: folds: their test rows begin on 2020-01-26, 2020-02-20, 2020-03-16 ("c")',
    ]
    assert held_out(DAYS, share=0.2, gap=7).left_out == 7


@pytest.mark.parametrize(
    ("choose", "values", "settings", "told"),
    [
        (held_out, ["a"] * 9, {"share": 0.3}, 'data.test_fraction.by: found one value of "c" in all 9 rows, which would all be on one side; name a column with more values, or write `test_fraction: 0.3`, which chooses row by row'),
        (held_out, days(*[18_262] * 9), {"gap": 0}, 'data.test_fraction.by: found one day, 2020-01-01, in "c" of all 9 rows, which would all be on one side; name a column with more days, or write `test_fraction: 0.2`, which chooses row by row'),
        (held_out, DAYS, {"gap": 80}, 'data.test_fraction.gap: found 80 days, which leaves none of 100 rows for training: "c" begins on 2020-01-01, and the rows from 2020-03-21 on are held out; make the gap 79 at most, or the share smaller'),
        (folds, ["a"] * 9, {}, 'data.folds.by: found 1 value of "c" in the training rows, fewer than the 5 folds; name another column, or write `folds: 5`, which chooses row by row'),
        (folds, [*"abc"], {}, 'data.folds.by: found 3 values of "c" in the training rows, fewer than the 5 folds; write `folds: {number: 3, by: c}`, or name another column, or write `folds: 5`, which chooses row by row'),
        (folds, days(1, 2, 3, 4, 5), {"gap": 2}, 'data.folds.by: found 5 days in "c" of the training rows, but 5 folds need 6, because the first days are tested by no fit; write `folds: {number: 4, by: c, gap: 2}`, or name another column, or write `folds: 5`, which chooses row by row'),
        (folds, days(*[3] * 10), {"gap": 0}, 'data.folds.by: found 1 day in "c" of the training rows, but 5 folds need 6, because the first days are tested by no fit; name another column, or write `folds: 5`, which chooses row by row'),
        (folds, DAYS, {"gap": 30, "number": 4}, 'data.folds.gap: found 30 days, which leaves no training row for fold 1: "c" begins on 2020-01-01, and the test rows of the first fold on 2020-01-21; make the gap 19 at most, or take fewer folds'),
        (folds, DAYS, {"gap": 60, "number": 4}, 'data.folds.gap: found 60 days, which leaves no training row for folds 1, 2, 3: "c" begins on 2020-01-01'),
    ],
)  # fmt: skip
def test_values_that_cannot_be_divided(
    choose: Any, values: Any, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError) as refused:
        choose(values, **settings)
    assert str(refused.value).startswith(told)


@pytest.mark.parametrize(("gap", "training"), [(79, 1), (19, 61)])
def test_the_gap_that_is_advised_is_enough(gap: int, training: int) -> None:
    division = held_out(DAYS, gap=gap).chosen
    assert division.sides(pa.table({"c": DAYS}), 0)["train"].num_rows == training
    if gap == 19:
        made = folds(DAYS, gap=gap, number=4).chosen
        assert all(places.training for places in made.places)


@pytest.mark.parametrize("choose", [held_out, folds])
def test_too_many_groups(choose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_counts, "MOST_VALUES", 9)
    with pytest.raises(UserError) as refused:
        choose(TEXTS)
    key, number = ("test_fraction", "0.2") if choose is held_out else ("folds", "5")
    assert str(refused.value) == (
        f'data.{key}.by: found more than 1,000,000 different values of "c" in 100 rows; so many'
        " groups are hardly other than single rows: name a column with fewer, or write"
        f" `{key}: {number}`"
    )


def test_a_table_without_rows_is_refused_by_its_reader() -> None:
    assert held_out(pa.array(NONE, pa.string())).chosen == DrawnDivision(0, 0.2)
    assert held_out(pa.array(NONE, pa.date32()), gap=1).chosen == DrawnDivision(0, 0.2)
