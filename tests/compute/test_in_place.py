"""Rows that stay where they are give the summary and the sample that copied rows give."""

# ruff: noqa: E501 - messages read best one to a line

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import job
from in_place import PARTS, contents, mixed, mixed_job, numbers, put_parts
from own_tables import own_job, put
from s3_server import BUCKET, Server, import_url, noted_of

from pipeline.compute import in_place, pool
from pipeline.compute.draws import Division, DrawnDivision, Side
from pipeline.compute.pool import threads
from pipeline.compute.source_rows import Source, SourceRows, divided
from pipeline.compute.summarize import bytes_in_thread
from pipeline.exact import cores
from pipeline.settings import dvc_md5, files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import raw_parts, raw_table
from pipeline.tables.store import errors_of


@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_numbers_are_read_once(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, fraction: float
) -> None:
    put_parts(numbers(210_001), 70_000, 70_001, row_group_size=20_000)
    params = own_job(PARTS, fraction=fraction, seed=3)
    copied = contents(params, keep_rows=True)
    read: list[SourceRows] = []
    original = SourceRows.read

    def noted(self: SourceRows, *arguments: Any) -> Any:
        read.append(self)
        return original(self, *arguments)

    monkeypatch.setattr(SourceRows, "read", noted)
    assert contents(params, keep_rows=False) == copied
    places = [(rows.part.name, rows.piece.groups.start) for rows in read]
    assert len(set(places)) == len(places)
    assert sum(rows.piece.rows for rows in read) == 210_001


def test_all_kinds_of_columns(workspace: Path) -> None:
    put_parts(mixed(150_000), 1, 80_000, row_group_size=7_777)
    params = mixed_job()
    left, copied = (contents(params, keep_rows) for keep_rows in (False, True))
    assert left == copied
    rows = left["plan"]["rows"]
    assert rows["source"] == 150_000
    assert set(rows["dropped"]) == {"area", "price"}


def test_of_wide_tables_fewer_threads_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread holds a block of rows, which all together must fit into memory."""
    put_parts(numbers(1_000))
    monkeypatch.setattr(cores, "available", lambda: 4)
    threads_of: list[int] = []

    def noted(parts: Any, division: Division, workers: pool.Pool) -> Source:
        threads_of.append(workers.threads)
        return divided(parts, division, workers)

    monkeypatch.setattr(in_place, "divided", noted)
    contents(own_job(PARTS), keep_rows=False)
    monkeypatch.setattr(pool, "MOST_BYTES", 2 * bytes_in_thread(3))
    contents(own_job(PARTS), keep_rows=False)
    assert threads_of == [4, 2]


def test_many_small_row_groups_and_one_large_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_parts, "PIECE_ROWS", 500)
    whole = mixed(3_000)
    put_parts(whole, row_group_size=1)
    small = contents(mixed_job(), keep_rows=False)
    put_parts(whole)
    assert contents(mixed_job(), keep_rows=False) == small


def test_a_description_of_a_piece_is_small_and_reads_the_same_elsewhere(workspace: Path) -> None:
    put_parts(mixed(3_000), row_group_size=2)
    raw = raw_table.find(mixed_job().data)
    with threads() as workers:
        source = divided(raw.parts(), DrawnDivision(0, 0.2), workers)
    (task,) = source.tasks
    content = pickle.dumps(task.fragment)
    assert len(content) < 4_000
    sent, here = (
        [
            (rows.side, rows.before, rows.values.to_pydict())
            for rows in fragment.read(task.row_groups)
        ]
        for fragment in (pickle.loads(content), task.fragment)
    )
    assert str(sent) == str(here)
    counts: dict[Side, int] = {"train": 0, "test": 0}
    for side, _, values in sent:
        counts[side] += len(values["price"])
    assert counts == source.rows


def refusal(params: Params) -> str:
    with pytest.raises(UserError) as refused:
        contents(params, keep_rows=False)
    assert not [path for path in Path("data").iterdir() if path != files.RAW]
    return str(refused.value)


def test_values_that_cannot_be_used_are_told_as_of_copied_rows(workspace: Path) -> None:
    whole = numbers(100_000)
    x = whole.column("x").to_numpy().copy()
    x[[70_000, 99_999]] = np.nan, np.inf
    put_parts(whole.set_column(0, "x", pa.array(x, from_pandas=False)), row_group_size=10_000)
    told = refusal(own_job(PARTS))
    with pytest.raises(UserError) as copied:
        contents(own_job(PARTS), keep_rows=True)
    assert told == str(copied.value)
    assert f'{PARTS}/0.parquet:70001: 1 value is missing in "x", in row 70001' in told
    assert "1 value is infinite" in told


def test_columns_that_cannot_be_learnt(workspace: Path) -> None:
    texts = pa.table({"t": [f"t{row}" for row in range(100)], "y": np.arange(100.0)})
    put_parts(texts)
    params = job(data__source=PARTS, data__features={"t": "category"}, evaluate__queries=[])
    assert refusal(params).startswith(
        'data.features: "t" (100 texts in 100 rows) differs in nearly'
    )


def test_files_that_are_not_parquet_and_tables_without_rows(workspace: Path) -> None:
    put("x,y\n1,2\n")
    told = refusal(own_job("data/raw/t.csv"))
    assert (
        told
        == "data.keep_rows: found false, but data/raw/t.csv: only the rows of Parquet files can stay where they are; set it to true"
    )
    put_parts(numbers(0))
    assert "found no rows in data/raw/parts/0.parquet" in refusal(own_job(PARTS))


@pytest.mark.parametrize("place", ["data.features", "data.read"])
def test_texts_with_units_are_refused_because_each_piece_has_only_its_own(
    workspace: Path, place: str
) -> None:
    texts = [f"{row} {'kg' if row < 10 else 'lb'}" for row in range(20)]
    put_parts(pa.table({"x": texts, "y": np.arange(20.0)}), 10)
    settings: Any = {"kind": "number", "units": place == "data.features"}
    params = job(
        data__source=PARTS,
        data__features={"x": settings},
        data__read__units=place == "data.read",
        evaluate__queries=[],
    )
    assert refusal(params) == (
        f'{PARTS}/0.parquet: found text in "x", whose numbers may have a unit (units: true); that all'
        " have the same unit is seen only if all rows are read in order: set data.keep_rows to true,"
        " or write numbers without a unit into the files"
    )


def test_a_server_that_stops_answering_is_told_at_once(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read all rows in order, to tell it as of copied rows, might take hours."""
    put_parts(numbers(1_000))

    def fails(*_: Any) -> Any:
        with errors_of("s3://t/0.parquet"):
            raise OSError("AWS Error NETWORK_CONNECTION during HeadObject operation")

    def too_late(_: raw_table.RawTable) -> Any:
        raise AssertionError("the table is read again")

    monkeypatch.setattr(SourceRows, "read", fails)
    monkeypatch.setattr(raw_table.RawTable, "rows", too_late)
    assert refusal(own_job(PARTS)).startswith("s3://t/0.parquet: the server does not answer")


@pytest.mark.parametrize("change", ["gone", "shorter", "rewritten"])
def test_a_part_that_changes_while_it_is_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    put_parts(numbers(1_000))
    path = Path(PARTS, "0.parquet")
    original = raw_table.RawTable.parts

    def changed(self: raw_table.RawTable) -> Any:
        parts = original(self)
        content = path.read_bytes()
        path.unlink()
        if change == "shorter":
            path.write_bytes(content[:5_000])
        elif change == "rewritten":
            put_parts(numbers(1_000, seed=1))
        return parts

    monkeypatch.setattr(raw_table.RawTable, "parts", changed)
    told = refusal(own_job(PARTS))
    assert "data/raw/parts/0.parquet" in told
    assert (
        told
        == "data/raw/parts/0.parquet: changed while the table was read; when it is whole, run the same command again"
    )


def sources() -> list[dict[str, Any]]:
    """Return the files that data/columns.json has."""
    listed: list[dict[str, Any]] = json.loads(files.COLUMNS.read_text())["source"]
    return listed


def test_the_files_are_recorded_with_what_changes_when_they_do(workspace: Path, s3: Server) -> None:
    put_parts(numbers(10), 5)
    contents(own_job(PARTS), keep_rows=True)
    assert sources() == []
    contents(own_job(PARTS), keep_rows=False)
    paths = [Path(PARTS, f"{number}.parquet") for number in (0, 1)]
    assert sources() == [
        {"path": str(path), "size": path.stat().st_size, "etag": dvc_md5.of(path)} for path in paths
    ]
    s3.put("recorded.parquet", numbers(10))
    url = f"s3://{BUCKET}/recorded.parquet"
    noted = noted_of(url)
    for keep_rows in (True, False):
        contents(own_job(str(import_url(url, "t"))), keep_rows)
        assert sources() == [{"path": url, "size": noted["size"], "etag": noted["etag"]}]


def test_a_table_in_s3(workspace: Path, s3: Server) -> None:
    whole = mixed(90_000)
    put_parts(whole, 30_000)
    local = contents(mixed_job(), keep_rows=True)
    for number, rows in enumerate((whole.slice(0, 30_000), whole.slice(30_000))):
        s3.put(f"mixed/{number}.parquet", rows)
    path = import_url(f"s3://{BUCKET}/mixed", "mixed")
    for keep_rows in (True, False):
        remote = contents(mixed_job(str(path)), keep_rows)
        for name in (files.SUMMARY, files.SAMPLE):
            assert remote[str(name)] == local[str(name)]
