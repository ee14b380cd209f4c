"""The clusters of rows: counted while the table is prepared, found again block by block."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.compute import clusters
from pipeline.settings.errors import UserError
from pipeline.tables import table


def put(path: Path, values: list[str]) -> Path:
    rows = pa.table({"shop": values})
    with table.writer(path, rows.schema) as file:
        file.write(rows)
    return path


def test_rows_of_a_value_have_one_index_in_every_block(tmp_path: Path) -> None:
    values = ["b", "a", "c", "a", "b"] * 20
    known = clusters.of_table(put(tmp_path / "t.parquet", values), "shop")
    assert known.number == 3
    whole = known.of(pa.table({"shop": values}))
    assert {*whole.tolist()} == {0, 1, 2}
    assert whole[0] == whole[4] != whole[1]
    assert known.of(pa.table({"shop": values[3:5]})).tolist() == whole[3:5].tolist()


def test_one_cluster_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r'found one value of "shop" in all 4 training rows'):
        clusters.check(put(tmp_path / "one.parquet", ["a"] * 4), "shop", are_frequencies=False)
    monkeypatch.setattr("pipeline.compute.value_counts.MOST_VALUES", 2)
    with pytest.raises(UserError, match=r"found more than .* different values"):
        clusters.check(put(tmp_path / "many.parquet", [*"abcd"]), "shop", are_frequencies=True)
