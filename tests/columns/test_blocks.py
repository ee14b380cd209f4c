"""A table that is read block by block has the numbers of the table that is read whole."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_plans import EVERY_KIND, a_plan, number, random_rows

from pipeline.columns.blocks import TableFile, encoded
from pipeline.columns.plan import Plan
from pipeline.onnx_model import feed
from pipeline.settings.errors import UserError
from pipeline.tables import table
from pipeline.tables.table import Table

TARGETS = ("u", "v")
NUMBERS = a_plan(number("a"), number("b"))


def put(made: Plan, rows: int, rows_per_group: int) -> TableFile:
    """Write t.parquet: random rows of the plan's columns, and two targets."""
    raw = feed.arrow(random_rows(made, rows), made)
    draws = np.random.default_rng(1)
    for name, kind in (("u", pa.float32()), ("v", pa.float64())):
        values = draws.normal(size=rows).astype(kind.to_pandas_dtype())
        raw = raw.append_column(name, pa.array(values.tolist(), kind))
    pq.write_table(raw, "t.parquet", row_group_size=rows_per_group)
    return TableFile(Path("t.parquet"), made, TARGETS)


def whole_of(file: TableFile) -> Table:
    """Return all rows at once."""
    return encoded(table.read_arrow(file.path), file.plan, file.targets)


def joined(parts: list[Table]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.concatenate([part.values for part in parts])


@pytest.mark.parametrize("made", [EVERY_KIND, NUMBERS])
@pytest.mark.parametrize(("rows", "rows_per_group"), [(50, 7), (50, 1), (50, 50), (1, 1)])
def test_the_blocks_make_the_whole(
    workspace: Path, made: Plan, rows: int, rows_per_group: int
) -> None:
    file = put(made, rows, rows_per_group)
    whole = whole_of(file)
    parts = list(file.blocks())
    np.testing.assert_array_equal(joined(parts), whole.values)
    for part in parts:
        assert (part.names, part.float32, part.exact) == (whole.names, whole.float32, whole.exact)
        assert part.values.flags.f_contiguous
    assert file.rows == rows
    assert whole.names == (*file.features, *TARGETS)


def test_row_groups_are_read_in_the_order_asked_for(workspace: Path) -> None:
    file = put(NUMBERS, 50, 20)
    whole = whole_of(file).values
    np.testing.assert_array_equal(
        joined(list(file.blocks([2, 0]))), np.concatenate([whole[40:], whole[:20]])
    )
    assert not list(file.blocks([]))


def test_a_large_row_group_is_read_in_parts(workspace: Path) -> None:
    file = put(NUMBERS, 150_000, 140_000)
    sizes = [len(part.values) for part in file.blocks()]
    assert sizes == [65_536, 65_536, 8_928, 10_000]
    assert sizes == file.block_sizes()
    assert file.block_sizes([1, 0], 50_000) == [10_000, 50_000, 50_000, 40_000]
    np.testing.assert_array_equal(joined(list(file.blocks())), whole_of(file).values)


def test_a_damaged_file_is_refused(workspace: Path) -> None:
    file = put(NUMBERS, 50, 10)
    content = file.path.read_bytes()
    file.path.write_bytes(content[:-100])
    with pytest.raises(UserError, match=r"t.parquet: not a readable Parquet file \(.*\); `dvc"):
        list(file.blocks())
    file.path.unlink()
    with pytest.raises(UserError, match=r"t.parquet: there is no such file; `dvc repro` makes it"):
        list(file.blocks())


def test_a_file_that_is_cut_while_it_is_read_is_refused(workspace: Path) -> None:
    file = put(NUMBERS, 300_000, 65_536)
    reading = file.blocks()
    next(reading)
    with file.path.open("r+b") as opened:
        opened.truncate(1_000_000)
    with pytest.raises(UserError, match=r"t.parquet: not a readable Parquet file"):
        list(reading)


@pytest.mark.parametrize("rows", [40, 60])
def test_a_file_that_is_replaced_by_another_is_refused(workspace: Path, rows: int) -> None:
    file = put(NUMBERS, 50, 10)
    list(file.blocks())
    put(NUMBERS, rows, 10)
    told = rf"t.parquet: replaced by another .* \(found {rows} rows, 50 before\); `dvc repro -f"
    with pytest.raises(UserError, match=told):
        next(file.blocks())
