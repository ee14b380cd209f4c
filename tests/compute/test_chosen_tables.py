"""Tables of `generate` whose rows are held out, and whose folds are made, by a column."""

# ruff: noqa: E501 - messages read best one to a line

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from chosen_tables import put_csv, sales, sales_job, sides
from in_place import PARTS, contents, put_parts
from own_tables import put

from pipeline import generate
from pipeline.columns.part import Part
from pipeline.columns.summary import read_summary
from pipeline.compute import mapping
from pipeline.exact import cores
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import raw_parts

BY_CUSTOMER = {"data__test_fraction": {"by": "customer"}, "data__folds": {"by": "customer"}}
IN_TIME = {
    "data__test_fraction": {"by": "sold", "gap": 5},
    "data__folds": {"number": 3, "by": "sold", "gap": 5},
}
BOTH = {
    "data__test_fraction": {"by": "sold", "gap": 0},
    "data__folds": {"by": "customer", "number": 4},
}


def rows_in(part: Part) -> set[int]:
    """Return the rows of a part, which the exact sum of their powers of two tells."""
    place = 1 + read_summary().features.index("bit")
    total = part.gram.entries[0][place] << part.gram.exponents[place]
    return {row for row in range(total.bit_length()) if total >> row & 1}


def with_bits(whole: pa.Table) -> pa.Table:
    return whole.append_column("bit", pa.array((2.0 ** np.arange(len(whole))).tolist()))


def test_rows_of_a_customer_are_on_one_side_and_in_one_fold(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = sales(200)
    features = ["x", "bit"]
    generate.main(sales_job(put_csv(with_bits(whole)), data__features=features, **BY_CUSTOMER))
    assert 'values of "customer" in 5 folds' in capsys.readouterr().err
    train, test = sides().values()
    assert list(train) == ["x", "bit", "y", "customer"]
    assert {*train["customer"]}.isdisjoint(test["customer"])
    assert 30 <= len(test["x"]) <= 50
    summary, customer = read_summary(), whole.column("customer").to_pylist()
    parts = [rows_in(part) for part in (*summary.parts, summary.test)]
    assert sorted(row for part in parts for row in part) == [*range(200)]
    customers = [{customer[row] for row in part} for part in parts]
    assert sum(map(len, customers)) == len({*customer})
    assert max(map(len, parts[:5])) - min(map(len, parts[:5])) < 6
    for fold in summary.folds:
        assert rows_in(fold.training) == {*range(200)} - rows_in(fold.test) - parts[5]
    plan = json.loads(files.COLUMNS.read_text())
    assert plan["excluded"] == ["customer", "sold", "row"]
    assert "gap" not in plan["rows"]


def test_later_rows_test_what_earlier_ones_train(workspace: Path) -> None:
    whole = sales(200)
    features = ["x", "bit"]
    generate.main(sales_job(put_csv(with_bits(whole)), data__features=features, **IN_TIME))
    train, test = sides().values()
    assert list(train) == ["x", "bit", "y", "sold"]
    days = np.array(whole.column("sold").to_pylist(), "datetime64[D]").astype(int)
    first = min(np.array(test["sold"], "datetime64[D]").astype(int))
    summary = read_summary()
    assert rows_in(summary.test) == {*np.flatnonzero(days >= first)}
    training = np.flatnonzero(days < first - 5)
    assert rows_in(summary.train) == {*training}
    rows = json.loads(files.COLUMNS.read_text())["rows"]
    assert rows["source"] == 200
    assert rows["gap"] == 200 - len(train["x"]) - len(test["x"]) > 0
    assert len(summary.folds) == 3
    ends: list[int] = []
    for fold in summary.folds:
        tested = [*rows_in(fold.test)]
        begin, end = days[tested].min(), days[tested].max()
        assert {*tested} == {row for row in training if begin <= days[row] <= end}
        assert rows_in(fold.training) == {*np.flatnonzero(days < begin - 5)}
        assert not ends or ends[-1] < begin
        ends.append(end)
    assert ends[-1] == days[training].max()


@pytest.mark.parametrize("asked", [BY_CUSTOMER, IN_TIME, BOTH], ids=["customer", "time", "both"])
def test_copied_rows_and_rows_in_place_give_the_same_bytes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    monkeypatch.setattr(raw_parts, "PIECE_ROWS", 50)
    whole = sales(600)
    put_parts(whole, 200, 201, row_group_size=30)
    params = sales_job(PARTS, **asked)
    expected = contents(params, keep_rows=True)
    monkeypatch.setattr(cores, "available", lambda: 1)
    assert contents(params, keep_rows=False) == expected
    for path in (files.STATE_FOLDER / "sums").iterdir():
        path.unlink()
    monkeypatch.setattr(cores, "available", lambda: 2)
    original = mapping.reduced

    def backwards(tasks: Any, *arguments: Any, **options: Any) -> Any:
        return original([*tasks][::-1], *arguments, **options)

    for module in ("in_place", "source_rows", "source_values"):
        monkeypatch.setattr(f"pipeline.compute.{module}.reduced", backwards)
    assert contents(params, keep_rows=False) == expected


def test_other_orders_of_the_rows_give_the_same_parts(workspace: Path) -> None:
    whole = sales(300)
    parts = []
    order = np.random.default_rng(1).permutation(300)
    for rows in (whole, whole.take(pa.array(order.tolist()))):
        for asked in (BY_CUSTOMER, IN_TIME, BOTH):
            generate.main(sales_job(put_csv(rows), **asked))
            parts.append(json.loads(files.SUMMARY.read_text()))
    for one, other in zip(parts[:3], parts[3:], strict=True):
        assert one["parts"] == other["parts"]
        assert one["test"] == other["test"]


def test_kept_sums_are_used_only_for_the_same_choice(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_parts, "PIECE_ROWS", 50)
    whole = sales(300)
    put_parts(whole, 100, 200)
    choices: tuple[dict[str, Any], ...] = (
        BY_CUSTOMER,
        IN_TIME,
        BOTH,
        {"data__folds": {"by": "customer"}},
        {},
    )
    for asked in (*choices, BY_CUSTOMER):
        params = sales_job(PARTS, **asked)
        kept = contents(params, keep_rows=False)
        assert kept == contents(params, keep_rows=True)
    put_parts(sales(350), 100, 200, 300)  # more rows move groups and days
    for asked in choices:
        params = sales_job(PARTS, **asked)
        assert contents(params, keep_rows=False) == contents(params, keep_rows=True)


def test_features_by_which_rows_are_chosen(workspace: Path) -> None:
    """A feature is not written twice, and its typed values say the group or the day."""
    kinds = {
        "customer": {"kind": "category", "unseen": "reference"},
        "x": "number",
        "sold": {"kind": "date", "parts": ["days", "hour"]},
    }
    path = put_csv(sales())
    generate.main(sales_job(path, data__features=kinds, **BOTH))
    train, test = sides().values()
    assert list(train) == ["customer", "x", "sold", "y"]
    assert max(train["sold"]) < min(test["sold"])
    by_number = {"data__test_fraction": {"by": "x"}, "data__folds": {"by": "x"}}
    generate.main(sales_job(path, **by_number))
    train, test = sides().values()
    assert {*train["x"]}.isdisjoint(test["x"])


def test_all_columns_are_features_except_those_that_choose_rows(workspace: Path) -> None:
    whole = sales().drop_columns(["sold"])
    generate.main(sales_job(put_csv(whole), data__features=[], **BY_CUSTOMER))
    assert read_summary().features == ("x", "row")
    generate.main(
        sales_job(
            put_csv(sales()), data__features=[], data__exclude=["sold", "customer"], **IN_TIME
        )
    )
    assert read_summary().features == ("x", "row")


def test_dates_of_parquet_files_are_groups_too(workspace: Path) -> None:
    put_parts(sales())
    generate.main(sales_job(PARTS, data__test_fraction={"by": "sold"}))
    train, test = sides().values()
    assert {*train["sold"]}.isdisjoint(test["sold"])


def refusal(params: Params) -> str:
    with pytest.raises(UserError) as refused:
        generate.main(params)
    assert not files.TRAIN.exists()
    return str(refused.value)


def test_a_row_without_a_value_is_refused_with_its_place(workspace: Path) -> None:
    content = "customer,x,y\na,1,2\n,2,3\nb,3,4\nNA,4,5\nc,5,x\n"
    path = str(put(content, "sales.csv"))
    told = refusal(sales_job(path, data__features=["x"], data__folds={"by": "customer"}))
    assert (
        '2 values are missing in "customer", in lines 3, 5: by this column rows are held out, folds are made or errors are clustered (data.test_fraction, data.folds, data.clusters), so each row needs a value; give a row that belongs to no other a value of its own, or remove these rows'
        in told
    )
    # In the pass that counts values, too, all faults are told.
    both = refusal(sales_job(path, data__features=["x"], data__test_fraction={"by": "customer"}))
    assert both == told
    assert '"y" is "x"; must be a number' in told


@pytest.mark.parametrize("keep_rows", [True, False])
def test_gaps_in_parts(workspace: Path, keep_rows: bool) -> None:
    whole = sales(100)
    customers = whole.column("customer").to_pylist()
    customers[70] = None
    put_parts(whole.set_column(0, "customer", pa.array(customers)), 50)
    told = refusal(sales_job(PARTS, data__keep_rows=keep_rows, **BY_CUSTOMER))
    assert told.startswith(
        f'{PARTS}/1.parquet:21: 1 value is missing in "customer", in row 21: by this column rows are'
    )


def test_a_feature_may_leave_rows_without_a_value_out(workspace: Path) -> None:
    path = str(put("g,y\n1,2\n,3\n3,4\n4,5\n5,6\n6,8\n", "sales.csv"))
    by = {"data__test_fraction": {"by": "g", "share": 0.4}}
    kinds = {"g": {"kind": "number", "missing": "drop_row"}}
    generate.main(sales_job(path, data__features=kinds, **by))
    assert len(sides()["test"]["g"]) == 2
    files.TRAIN.unlink()
    told = refusal(
        sales_job(path, data__features={"g": {"kind": "number", "missing": "mean"}}, **by)
    )
    assert '1 value is missing in "g", in line 3: by this column' in told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"data__folds": {"by": "client"}}, 'found no column "client" (data.folds.by); it has "customer", "x"'),
        ({"data__test_fraction": {"by": "custmer"}}, 'found no column "custmer" (data.test_fraction.by); did you mean "customer"?'),
        ({"data__folds": {"by": "customer", "gap": 1}}, '"customer" is "c33" (the first of 400 such values); must be a date as ISO 8601 writes it'),
        ({"data__test_fraction": {"by": "sold", "gap": 99}}, "data.test_fraction.gap: found 99 days, which leaves none of 400 rows for training"),
        ({"data__folds": {"by": "customer", "number": 100}}, 'data.folds.by: found 40 values of "customer" in the training rows, fewer than the 100 folds'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("keep_rows", [True, False])
def test_columns_that_cannot_choose(
    workspace: Path, asked: dict[str, Any], told: str, keep_rows: bool
) -> None:
    put_parts(sales())
    assert told in refusal(sales_job(PARTS, data__keep_rows=keep_rows, **asked))


def test_both_columns_that_are_not_there_are_told_at_once(workspace: Path) -> None:
    asked = {"data__folds": {"by": "client"}, "data__test_fraction": {"by": "date", "gap": 1}}
    first, second = refusal(sales_job(put_csv(sales()), **asked)).splitlines()
    assert 'found no column "date" (data.test_fraction.by); it has' in first
    assert 'found no column "client" (data.folds.by); it has' in second


def test_dates_in_another_form_are_told_with_the_way_to_read_them(workspace: Path) -> None:
    rows = "".join(f"{day:02}.01.2020,{day},{2 * day}\n" for day in range(1, 29))
    path = str(put("sold,x,y\n" + rows, "sales.csv"))
    told = refusal(sales_job(path, data__features=["x"], data__folds={"by": "sold", "gap": 1}))
    assert '"sold" holds dates' in told
    assert (
        '"sold" chooses rows and is no feature, so it is read as an ISO date; a feature, in data.features, can have another kind, and a format of dates'
        in told
    )
    generate.main(
        sales_job(
            path,
            data__features={"x": "number", "sold": {"kind": "date", "format": "%d.%m.%Y"}},
            data__folds={"by": "sold", "gap": 1},
        )
    )
