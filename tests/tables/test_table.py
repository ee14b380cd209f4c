"""The pipeline's own tables come back as they were written, the same bytes everywhere."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.settings.errors import UserError
from pipeline.tables import row_groups, table
from pipeline.tables.table import Table


def test_tables_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.parquet"
    values = np.asfortranarray(np.random.default_rng(0).normal(size=(70_000, 3)))
    table.write(path, Table(("a", "b", "c"), values))
    first = path.read_bytes()
    copy = table.read(path)
    assert copy.names == ("a", "b", "c")
    np.testing.assert_array_equal(copy.values, values)
    np.testing.assert_array_equal(copy.columns(["c", "a"]), values[:, [2, 0]])
    table.write(path, Table(("a", "b", "c"), np.ascontiguousarray(values)))
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["table.parquet"]
    path.write_bytes(first[:1000])
    with pytest.raises(UserError, match=r"table.parquet: not a readable Parquet file"):
        table.read(path)
    with pytest.raises(UserError, match=r"gone.parquet: there is no such file"):
        table.read(tmp_path / "gone.parquet")


def arrow_blocks(rows: pa.Table, sizes: list[int]) -> Iterator[pa.Table]:
    """Yield the rows in blocks of these sizes."""
    begin = 0
    for size in sizes:
        yield rows.slice(begin, size)
        begin += size


@pytest.mark.parametrize("sizes", [[1] * 7, [3, 4], [7]])
def test_the_file_does_not_depend_on_the_blocks(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(table, "ROWS_PER_ROW_GROUP", 3)
    rows = np.random.default_rng(0).normal(size=(7, 2))
    rows[:, 1] = rows[:, 1].astype(np.float32)
    whole = Table(("a", "b"), rows, frozenset({"b"}))
    table.write(Path("whole.parquet"), whole)
    arrow = table.to_arrow(whole)
    with table.writer(Path("blocks.parquet"), arrow.schema) as file:
        for block in arrow_blocks(arrow, sizes):
            file.write(block)
    assert Path("blocks.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    meta = pq.read_metadata("blocks.parquet")
    assert [meta.row_group(index).num_rows for index in range(meta.num_row_groups)] == [3, 3, 1]
    copy = table.read(Path("blocks.parquet"))
    assert sum(row_groups.sizes_in(Path("blocks.parquet"))) == 7
    np.testing.assert_array_equal(copy.values, rows)
    assert copy.float32 == {"b"}
    assert [str(kind) for kind in pq.read_schema("blocks.parquet").types] == ["double", "float"]


def test_a_large_table_is_cut_into_row_groups(tmp_path: Path) -> None:
    rows = np.asfortranarray(np.random.default_rng(0).normal(size=(150_000, 2)))
    whole = Table(("a", "b"), rows)
    table.write(tmp_path / "whole.parquet", whole)
    arrow = table.to_arrow(whole)
    with table.writer(tmp_path / "blocks.parquet", arrow.schema) as file:
        for block in arrow_blocks(arrow, [1, 69_999, 70_000, 10_000]):
            file.write(block)
    assert (tmp_path / "blocks.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    np.testing.assert_array_equal(table.read(tmp_path / "whole.parquet").values, rows)


def test_a_file_half_written_is_none(workspace: Path) -> None:
    rows = table.to_arrow(Table(("a",), np.zeros((100_000, 1))))

    def half() -> None:
        with table.writer(Path("t.parquet"), rows.schema) as file:
            file.write(rows)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert not list(workspace.glob("t.parquet*"))


def test_a_table_of_no_rows_comes_back(tmp_path: Path) -> None:
    table.write(tmp_path / "t.parquet", Table(("a", "b"), np.empty((0, 2)), frozenset({"a"})))
    copy = table.read(tmp_path / "t.parquet")
    assert copy.names == ("a", "b")
    assert copy.values.shape == (0, 2)
    assert not sum(row_groups.sizes_in(tmp_path / "t.parquet"))
    assert copy.float32 == {"a"}
