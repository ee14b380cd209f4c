"""Terms of rows that stay where they are, of tasks and of copied rows have the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import job
from in_place import PARTS, contents, put_parts
from own_tables import put
from term_plans import FEATURES, TERMS, rows_of_every_kind

from pipeline import generate
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def rows_with_price(count: int) -> pa.Table:
    rows = rows_of_every_kind(count)
    return rows.append_column("price", pa.chunked_array([np.arange(count) % 7.0]))


def term_job(source: str = PARTS, terms: list[str] = TERMS, **changes: Any) -> Params:
    return job(
        **{
            "data__source": source,
            "data__features": FEATURES,
            "data__terms": terms,
            "data__targets": ["price"],
            "data__test_fraction": 0.2,
            "train__optimizer": "exact",
            "evaluate__queries": [],
        }
        | changes
    )


def test_the_same_plan_and_sums(workspace: Path) -> None:
    put_parts(rows_with_price(9_000), 1, 4_000, row_group_size=777)
    left, copied = (contents(term_job(), keep_rows) for keep_rows in (False, True))
    assert left == copied
    kinds = [term["kind"] for term in left["plan"]["terms"]]
    assert set(kinds) == {"log", "sqrt", "power", "product", "spline"}
    assert contents(term_job(), keep_rows=False) == copied, "with the sums that are kept"
    others = term_job(terms=["log(area)"])
    assert contents(others, keep_rows=False) == contents(others, keep_rows=True)


@pytest.mark.parametrize("keep_rows", [True, False])
def test_a_value_without_a_logarithm_is_told_with_its_place(
    workspace: Path, keep_rows: bool
) -> None:
    rows = rows_with_price(3_000)
    for name, place in (("area", 5), ("rooms", 2_000)):
        values = rows.column(name).to_numpy().copy()
        values[place] = -2.0
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))
    put_parts(rows, row_group_size=1_000)
    params = term_job(data__keep_rows=keep_rows)
    with pytest.raises(UserError) as caught:
        generate.main(params)
    text = str(caught.value)
    assert '0.parquet:6: 1 value is not above 0 in "area", in row 6; log(area) in data.ter' in text
    assert "correct the numbers if they are mistakes, or leave the term out" in text
    if keep_rows:  # a piece that stays in place is read to its first block with faults
        assert '0.parquet:2001: 1 value is below 0 in "rooms", in row 2001; sqrt(rooms)' in text
    assert not files.SUMMARY.exists()


def test_rows_that_are_left_out_need_no_logarithm(workspace: Path) -> None:
    put("a,b,y\n1,2,3\n-1,,4\n2,3,5\n3,1,4\n")
    features = {"a": "number", "b": {"kind": "number", "missing": "drop_row"}}
    changes = {"data__features": features, "data__targets": ["y"], "data__test_fraction": 0.0}
    generate.main(term_job("data/raw/t.csv", ["log(a)"], **changes))
    assert '"log(a)"' in files.SUMMARY.read_text()


def test_terms_of_all_columns_of_a_file(workspace: Path) -> None:
    put("a,b,y\n1,2,3\n2,7,4\n3,3,5\n")
    changes: dict[str, Any] = {"data__features": [], "data__targets": ["y"]}
    changes |= {"data__test_fraction": 0.0}
    generate.main(term_job("data/raw/t.csv", ["a:b", "-a"], **changes))
    assert '"features": ["b", "a:b"]' in files.SUMMARY.read_text()
    with pytest.raises(UserError, match="data.terms.0.: found .a:c.: it has .c., which is no feat"):
        generate.main(term_job("data/raw/t.csv", ["a:c"], **changes))


def test_a_product_beyond_float64(workspace: Path) -> None:
    put("a,y\n1e200,3\n2,4\n3,5\n")
    changes: dict[str, Any] = {"data__features": ["a"], "data__targets": ["y"]}
    changes |= {"data__test_fraction": 0.0}
    with pytest.raises(UserError, match=r"data.terms: a\^2 is beyond what float64 holds in some"):
        generate.main(term_job("data/raw/t.csv", ["a^2"], **changes))
    assert not files.SUMMARY.exists()
