"""Columns that cannot be used are named all at once, each with the line that cures it."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import job

from pipeline.columns import category, learn, statistics
from pipeline.columns.blocks import TableFile
from pipeline.columns.learn import Learnable
from pipeline.columns.plan import Plan
from pipeline.columns.statistics import Statistics
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.params import Data
from pipeline.tables import table


def data(features: Any, **changes: Any) -> Data:
    changes = {"data__source": "data/raw/t.csv", "evaluate__queries": []} | changes
    return job(data__features=features, **changes).data


def arrow(columns: dict[str, Any]) -> pa.Table:
    kinds = {str: pa.string(), float: pa.float64()}
    arrays = {
        name: values
        if isinstance(values, pa.Array)
        else pa.array(values, kinds[type(values[0])], from_pandas=False)
        for name, values in columns.items()
    }
    return pa.table(arrays)


def planned(asked: Data, train: dict[str, Any], test: dict[str, Any] | None = None) -> Plan:
    """Return the plan that is learnt from these rows."""
    training = arrow(train)
    held_out = arrow(test) if test else training.slice(0, 0)
    first, second = (statistics.of_rows(asked.columns, rows) for rows in (training, held_out))
    count = statistics.count_in(lambda name: [training.column(name)])
    return learn.plan(asked, Learnable(asked.columns, first, second, count))


def refusal(asked: Data, train: dict[str, Any], test: dict[str, Any] | None = None) -> str:
    with pytest.raises(UserError) as caught:
        planned(asked, train, test)
    return str(caught.value)


ROWS = 200
Y = [0.0] * ROWS


def test_texts_that_are_too_many_to_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(category, "MOST_TEXTS", 150)
    asked = data({"name": {"kind": "category", "min_count": 2}})
    rows = pa.table({"name": [f"n{row}" for row in range(ROWS)], "y": Y})
    halves = (statistics.of_rows(asked.columns, rows.slice(at, ROWS // 2)) for at in (0, 100))
    known = sum(halves, Statistics())
    with pytest.raises(UserError) as caught:
        learn.plan(
            asked, Learnable(asked.columns, known, Statistics(), statistics.count_in(lambda _: []))
        )
    assert str(caught.value) == (
        'data.features: "name" has more than 1,000,000 different texts in the training rows, which'
        " are too many for categories; leave it out of data.features"
    )


def test_all_columns_of_a_kind_are_named_at_once_with_lines_to_paste(workspace: Path) -> None:
    texts = {
        "district": [f"d{row % 50}" for row in range(ROWS)],
        "post code": [f"{row % 60}" for row in range(ROWS)],
        "name": [f"n{row}" for row in range(ROWS)],
        "note": [""] * ROWS,
        "ok": ["a", "b"] * (ROWS // 2),
    }
    told = refusal(data(dict.fromkeys(texts, "category")), texts | {"y": Y})
    assert told == (
        'data.features: "note" is missing in every training row, so nothing can be learnt of it;'
        " leave it out of data.features\n"
        'data.features: "name" (200 texts in 200 rows) differs in nearly every training row, as a'
        " name or a number of the row does, which says nothing of other rows; leave it out of"
        " data.features\n"
        'data.features: "district" (50), "post code" (60) have more than 40 levels; fold the rare'
        " ones into one (a larger min_count folds more), under features:\n"
        "    district: {kind: category, min_count: 10}\n"
        "    post code: {kind: category, min_count: 10}\n"
        "  or leave them out of data.features"
    )
    for line in told.splitlines():
        if line.startswith("    "):
            features = "\n".join(["features:", line])
            text = (
                (workspace / "params.yaml")
                .read_text()
                .replace("source: generate", "source: data/raw/t.csv")
            )
            params_yaml.parse(text.replace("features: [x]", features).replace("[[4.0]]", "[]"))


def test_a_number_that_is_missing_throughout_is_excluded_beside_what_is_excluded(
    workspace: Path,
) -> None:
    nan = [float("nan")] * ROWS
    told = refusal(
        data({"a": {"kind": "number", "missing": 0.0}, "x": "number"}), {"a": nan, "x": Y, "y": Y}
    )
    assert '"a" is missing in every training row' in told
    from pipeline.columns import refusals

    assert refusals.empty(["a", "b"], True, ["id"]).endswith(
        'leave them out, under data:\n    exclude: ["id", "a", "b"]'
    )


def test_a_held_out_row_with_a_new_level_or_month_is_refused_with_the_cures(
    workspace: Path,
) -> None:
    day = pa.array([18_262] * 3, pa.int32()).cast(pa.date32())
    later = pa.array([18_262, 18_300, 18_262], pa.int32()).cast(pa.date32())
    features = {
        "h": {"kind": "category", "missing": "level"},
        "d": {"kind": "date", "parts": ["days", "month"]},
        "ok": {"kind": "category", "unseen": "reference"},
    }
    train = {"h": ["a", "b", ""], "d": day, "ok": ["a", "b", "b"], "y": [1.0] * 3}
    test = {"h": ["new", "b", "new"], "d": later, "ok": ["a", "new", ""], "y": [1.0] * 3}
    asked = data(features, data__test_fraction=0.5)
    test["ok"] = ["a", "new", "b"]
    assert refusal(asked, train, test) == (
        "data.features: held-out rows have values that no training row has\n"
        '  "h": levels "new" (2 rows)\n'
        '  "d": month 2 (1 row)\n'
        "  say what becomes of them, under features:\n"
        "      h: {kind: category, missing: level, unseen: reference}\n"
        "      h: {kind: category, missing: level, min_count: 2}   # or this one, which folds rare"
        " levels\n"
        '      d: {kind: date, parts: ["days"]}\n'
        "  or bring more rows; another `seed` holds out other rows"
    )


def test_gaps_without_a_policy_are_refused(workspace: Path) -> None:
    nan = float("nan")
    features = {"n": "number", "h": "category", "d": "date"}
    days = pa.array([1, None], pa.int32()).cast(pa.date32())
    told = refusal(data(features), {"n": [1.0, nan], "h": ["a", ""], "d": days, "y": Y[:2]})
    assert told == (
        'data.features: "n" (1 row), "h" (1 row), "d" (1 row) have missing values; say what they'
        " stand for, under features (drop_row leaves such rows out):\n"
        "    n: {kind: number, missing: mean, indicator: true}\n"
        "    h: {kind: category, missing: level}\n"
        "    d: {kind: date, missing: drop_row}"
    )


def test_two_numbers_of_one_name_are_refused(workspace: Path) -> None:
    columns = {"h": ["a", "b", "b"], "h[a]": [1.0, 2.0, 3.0], "y": [1.0] * 3}
    told = refusal(data({"h": "category", "h[a]": "number"}), columns)
    assert told.startswith('data.features: found "h[a]" twice among the names of the model\'s')


def test_columns_of_one_level_alone_leave_nothing(workspace: Path) -> None:
    told = refusal(data({"h": "category"}), {"h": ["a", "a"], "y": [1.0, 2.0]})
    assert 'data.features: "h": each has one level alone' in told


def test_levels_and_fills_come_from_the_training_rows_alone(workspace: Path) -> None:
    features = {
        "n": {"kind": "number", "missing": "mean"},
        "h": {"kind": "category", "unseen": "reference"},
    }
    nan = float("nan")
    train = {"n": [1.0, 3.0, nan], "h": ["a", "a", "b"], "y": [1.0] * 3}
    test = {"n": [nan, 99.0, 1.0], "h": ["c", "c", "c"], "y": [1.0] * 3}
    made = planned(data(features), train, test)
    number, category = made.columns
    assert number.fill == 2.0  # type: ignore[union-attr]
    assert [level.name for level in category.levels] == ["a", "b"]  # type: ignore[union-attr]
    assert (made.rows.training, made.rows.test, made.rows.source) == (3, 3, 6)


def test_a_table_is_read_encoded_with_the_dummies_exact(workspace: Path) -> None:
    single = pa.array([1.5, 2.5], pa.float32())
    columns = {"n": single, "h": ["a", "b"], "y": [1.0, 2.0]}
    asked = data({"n": "number", "h": "category"})
    made = planned(asked, columns)
    with table.writer(Path("train.parquet"), arrow(columns).schema) as file:
        file.write(arrow(columns))
    (rows,) = TableFile(Path("train.parquet"), made, asked.targets).blocks()
    assert rows.names == ("n", "h[b]", "y")
    assert rows.values.tolist() == [[1.5, 0.0, 1.0], [2.5, 1.0, 2.0]]
    assert rows.values.flags.f_contiguous
    assert rows.float32 == {"n"}
    assert rows.exact == {"h[b]"}
    x, refused = made.encode(table.read_arrow(Path("train.parquet")))
    assert x.tolist() == rows.values[:, :2].tolist()
    assert not refused.any()


def test_left_out_rows_are_told_in_the_order_of_the_columns(workspace: Path) -> None:
    """Threads that count rows meet with them in any order."""
    asked = data({"b": "number", "a": "number"})
    rows = arrow({"b": [1.0, 2.0], "a": [1.0, 2.0], "y": [1.0, 2.0]})
    known = statistics.of_rows(asked.columns, rows)
    count = statistics.count_in(lambda name: [rows.column(name)])
    dropped = {"y": 1, "a": 2, "b": 3}
    made = learn.plan(asked, Learnable(asked.columns, known, known, count, dropped))
    assert list(made.rows.dropped) == ["b", "a", "y"]


def test_frequencies_that_cannot_be_counted_exactly_are_refused(workspace: Path) -> None:
    """Each is allowed, but both together are more rows than float64 can count."""
    asked = data({"a": "number"}, data__weights={"by": "w", "kind": "frequency"})
    rows = arrow({"a": [1.0, 2.0], "y": [1.0, 2.0], "w": [2.0**53, 1.0]})
    known = statistics.of_rows(asked.columns, rows, asked.weights)
    count = statistics.count_in(lambda name: [rows.column(name)], asked.weights)
    with pytest.raises(UserError, match=r'in "w" sum to 9,007,199,254,740,993 rows; must be at'):
        learn.plan(asked, Learnable(asked.columns, known, Statistics(), count))
