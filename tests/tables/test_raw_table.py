"""A user's table has the columns and rows of its files, in order, read in blocks."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import job
from own_tables import environment_of_tests, own_job, parquet, put, refusal, values

from pipeline.settings import files
from pipeline.tables import raw_table


def test_features_and_targets_in_the_order_asked_for(workspace: Path) -> None:
    put("b,city,y,a,z\n1,Oslo,2,3,4\n")
    assert values(features=("a", "b"), targets=("z", "y")).tolist() == [[3, 1, 4, 2]]
    put("b,y,a\n1,2,3\n", "all.csv")
    raw = raw_table.find(own_job("data/raw/all.csv").data)
    assert raw.features == ("b", "a")
    assert values("data/raw/all.csv").tolist() == [[1, 3, 2]]


def test_a_thousand_columns(workspace: Path) -> None:
    names = [f"x{number}" for number in range(1000)]
    row = ",".join(str(number / 7) for number in range(1001))
    put(",".join([*names, "y"]) + f"\n{row}\n{row}\n")
    assert values().tolist() == [[number / 7 for number in range(1001)]] * 2


def test_a_glob_reads_its_files_in_order_and_no_others(workspace: Path) -> None:
    put("x,y\n1,2\n", "b.csv")
    put("y;x\n4;3\n", "c.txt")
    put(parquet(x=pa.array([5], "f4"), y=pa.array([6], "f4")), "d.parquet")
    put("x,y\n", "a.csv")
    for name in ("b.csv.dvc", ".gitignore", ".gitkeep"):
        put("no table", name)
    (files.RAW / "folder").mkdir()
    assert values("data/raw/*").tolist() == [[1, 2], [3, 4], [5, 6]]
    raw = raw_table.find(own_job("data/raw/*").data)
    assert [Path(str(path)).name for path in raw.paths] == ["a.csv", "b.csv", "c.txt", "d.parquet"]
    assert raw.float32 == frozenset(), "not all the files have float32"
    assert raw_table.find(own_job("data/raw/*.parquet").data).float32 == {"x", "y"}
    put("x,y\n7,8\n", "odd[1].csv")
    assert values("data/raw/odd[1].csv").tolist() == [[7, 8]]


def test_a_link_to_a_file_elsewhere(workspace: Path) -> None:
    put("x,y\n1,2\n", "../elsewhere.csv")
    (files.RAW / "t.csv").symlink_to(workspace / "data/elsewhere.csv")
    assert values().tolist() == [[1, 2]]


@pytest.mark.parametrize("text", ["x,y\n", "x,y", "x,y\n\n\n"])
def test_a_table_without_rows(workspace: Path, text: str) -> None:
    told = "only names of columns; a model needs rows"
    assert refusal(text) == f"data.source: found no rows in data/raw/t.csv, {told}"
    put(parquet(x=pa.array([], "f8"), y=pa.array([], "i8")), "u.parquet")
    assert refusal(path="data/raw/*") == f"data.source: found no rows in 2 files, {told}"


def test_files_of_a_glob_that_disagree(workspace: Path) -> None:
    put("x,y\n1,2\n", "a.csv")
    put("x,z,y\n1,2,3\n", "b.csv")
    assert refusal(path="data/raw/*.csv") == (
        'data/raw/b.csv: found a column "z", which data/raw/a.csv does not have; give all files the'
        " same columns, or name the features in data.features"
    )
    assert values("data/raw/*.csv", features=("x",)).tolist() == [[1, 2], [1, 3]]
    put("y\n1\n", "b.csv")
    assert refusal(path="data/raw/*.csv") == (
        'data/raw/b.csv: found no column "x", which data/raw/a.csv has; give all files of a glob'
        " the same columns"
    )


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_that_may_not_be_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = put(parquet(x=[1], y=[2]) if name.endswith("parquet") else "x,y\n1,2\n", name)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything

        def denied(which: Any, *rest: Any, **options: Any) -> int:
            if which == path:
                raise PermissionError(13, "Permission denied", str(path))
            return usual(which, *rest, **options)

        usual = os.open
        monkeypatch.setattr(os, "open", denied)
    assert refusal(path=str(path)) == (
        f"{path}: you may not read this file; `chmod u+r {path}` if it is yours"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_file(workspace: Path, kind: str) -> None:
    draws = np.random.default_rng(0).random((1 << 17, 4))
    text = "a,b,c,y\n", "".join(",".join(map(repr, row)) + "\n" for row in draws.tolist())
    arrow = pa.table([pa.array(column) for column in draws.T], names=list("abcy"))
    program = (
        "import os, re; from pathlib import Path; from conftest import job\n"
        "from pipeline.tables import raw_table\n"
        "def peak():\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    return int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) / 1024\n"
        "before = peak()\n"
        f"data = job(data__source='data/raw/t.{kind}', data__features=[], data__targets=['y'],"
        " evaluate__queries=[]).data\n"
        "for block in raw_table.find(data).values(): pass\n"
        # Arrow's threads abort one process in a hundred that ends as usual.
        "print(peak() - before, flush=True); os._exit(0)"
    )
    peaks = []
    for times in (5, 25):
        path = put("", f"t.{kind}")
        if kind == "csv":
            path.write_text(text[0] + text[1] * times)
        else:
            with pq.ParquetWriter(path, arrow.schema, compression="NONE") as file:
                for _ in range(times):
                    file.write_table(arrow)
        peaks.append(
            float(
                subprocess.check_output([sys.executable, "-c", program], env=environment_of_tests())
            )
        )
    size = path.stat().st_size / 2**20
    assert size > 100
    assert peaks[1] - peaks[0] < size / 4, peaks


def test_columns_come_in_the_order_of_the_file_whatever_the_order_of_their_kinds(
    workspace: Path,
) -> None:
    """To DVC two mappings are equal in any order: it would not notice that one was turned."""
    files.RAW.mkdir(parents=True)
    Path("data/raw/t.csv").write_text("a,b,y\n1,u,2\n")
    for features in ({"a": "number", "b": "category"}, {"b": "category", "a": "number"}):
        data = job(
            data__source="data/raw/t.csv", data__features=features, evaluate__queries=[]
        ).data
        assert raw_table.find(data).row_schema.names == ["a", "b", "y"]
