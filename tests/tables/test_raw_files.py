"""`data.source` names each file once, and no pipe that never ends."""

# ruff: noqa: E501 - a table of messages reads best one to a line

import os
from pathlib import Path

import pyarrow as pa
import pytest
from own_tables import PAIR, paths, put, refusal, values

from pipeline.settings import files


@pytest.mark.parametrize("pattern", ["**/*.csv", "**", "*/*.csv", "**/**/*.csv"])
def test_a_folder_linked_from_within_itself_is_read_once(workspace: Path, pattern: str) -> None:
    put(PAIR, "sub/t.csv")
    for name in ("loop", "other"):
        (files.RAW / "sub" / name).symlink_to(".")
    (files.RAW / "deep").mkdir()
    if pattern != "*/*.csv":  # which names no folder by itself
        (files.RAW / "deep/up").symlink_to("../sub")
    assert paths(f"data/raw/{pattern}") == ["data/raw/sub/t.csv"]
    assert values(f"data/raw/{pattern}").tolist() == [[1, 2]]


def test_two_files_that_dvc_links_to_one_are_two(workspace: Path) -> None:
    """`dvc add` of two equal tables, where the cache gives links."""
    put(PAIR, "../cached")
    for name in ("monday.csv", "tuesday.csv"):
        (files.RAW / name).symlink_to("../cached")
    assert values("data/raw/*.csv").tolist() == [[1, 2], [1, 2]]


def test_a_glob_takes_what_pythons_own_takes(workspace: Path) -> None:
    for name in ("a.csv", "b/c.csv", "b/d/e.csv", "[f]/g.csv", ".hidden/h.csv", "b/.i.csv"):
        put(PAIR, name)
    assert paths("data/raw/**/*.csv") == [
        f"data/raw/{name}" for name in ("[f]/g.csv", "a.csv", "b/c.csv", "b/d/e.csv")
    ]
    assert paths("data/raw/**/d/*.csv") == ["data/raw/b/d/e.csv"]
    assert paths("data/raw/b/**/*.csv") == ["data/raw/b/c.csv", "data/raw/b/d/e.csv"]


def test_files_that_are_not_there(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(path="data/raw/t.csv") == (
        "data.source: found no file data/raw/t.csv; put your table into data/raw/"
    )
    put("x,y\n1,2\n", "housing.csv")
    assert refusal(path="data/raw/housng.csv") == (
        "data.source: found no file data/raw/housng.csv; did you mean data/raw/housing.csv?"
    )
    assert refusal(path="data/raw/*.parquet") == (
        "data.source: found no file that matches data/raw/*.parquet; data/raw has housing.csv"
    )
    put("outs: []", "kept.csv.dvc")
    assert refusal(path="data/raw/kept.csv") == (
        "data.source: found no file data/raw/kept.csv, but data/raw/kept.csv.dvc; `dvc checkout"
        " data/raw/kept.csv.dvc` or `dvc pull` restores it"
    )
    (files.RAW / "link.csv").symlink_to("/gone/table.csv")
    assert refusal(path="data/raw/link.csv") == (
        "data.source: data/raw/link.csv is a link to /gone/table.csv, which is not there; `dvc"
        " checkout` restores it"
    )
    (files.RAW / "sub.csv").mkdir()
    assert refusal(path="data/raw/sub.csv") == (
        "data.source: data/raw/sub.csv is a folder without Parquet files; must be a folder of"
        " Parquet files, a file, or a glob, such as data/raw/sub.csv/*.csv"
    )
    # A temporary experiment of DVC's runs elsewhere.
    (workspace / "temporary").mkdir()
    monkeypatch.chdir(workspace / "temporary")
    monkeypatch.setenv("DVC_ROOT", str(workspace))
    assert refusal(path="data/raw/housing.csv") == (
        "data.source: found no file data/raw/housing.csv in this temporary experiment, which has"
        f" only what is committed or in DVC; in {workspace}, `git add data/raw/housing.csv && git"
        " commit` if it is small, else `dvc add data/raw/housing.csv` and commit what it writes"
    )


def test_a_folder_is_its_parquet_parts_in_the_order_of_their_names(workspace: Path) -> None:
    """Spark writes _SUCCESS, checksums and logs beside the parts; a CSV file is no part."""
    names = ("b.parquet", "B.PQ", "a/z.parquet", "é.parquet")
    for number, name in enumerate(names):
        put(pa.table({"x": [number], "y": [0.0]}), f"parts/{name}")
    for name in ("_SUCCESS", "_log/0.parquet", ".b.parquet.crc", ".tmp/0.parquet", "notes.csv"):
        put("no table", f"parts/{name}")
    in_order = ["B.PQ", "a/z.parquet", "b.parquet", "é.parquet"]
    assert paths("data/raw/parts/") == [f"data/raw/parts/{name}" for name in in_order]
    assert values("data/raw/parts")[:, 0].tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("t.xls", 'of kind ".xls"; must be .csv, .tsv, .txt, .data, .dat, .parquet, .pq, .json, .jsonl, .ndjson, .xlsx, or text packed as .gz, .bz2, .xz, .zst; save the table as one of them'),
        ("table", "without an extension; must be .csv, .tsv, .txt, .data, .dat, .parquet, .pq, .json, .jsonl, .ndjson, .xlsx, or text packed as .gz, .bz2, .xz, .zst; name it .csv if it is text"),
        ("table.xz", 'of kind ".xz"; must be .csv, .tsv, .txt, .data, .dat, .parquet, .pq, .json, .jsonl, .ndjson, .xlsx, or text packed as .gz, .bz2, .xz, .zst; name it .csv.xz if it is text'),
        ("t.parquet.gz", 'of kind ".gz"; must be .csv, .tsv, .txt, .data, .dat, .parquet, .pq, .json, .jsonl, .ndjson, .xlsx, or text packed as .gz, .bz2, .xz, .zst; unpack it first'),
        ("t.csv.zip", 'of kind ".zip"; must be .csv, .tsv, .txt, .data, .dat, .parquet, .pq, .json, .jsonl, .ndjson, .xlsx, or text packed as .gz, .bz2, .xz, .zst; unpack it first'),
    ],
)  # fmt: skip
def test_files_of_other_kinds(workspace: Path, name: str, told: str) -> None:
    assert refusal("x", f"data/raw/{name}") == f"data/raw/{name}: found a file {told}"
    put("x,y\n1,2\n")
    assert refusal(path="data/raw/*").endswith(f"{told}, or narrow the glob")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_pipes_and_devices_are_refused(workspace: Path, name: str) -> None:
    files.RAW.mkdir(parents=True)
    path = files.RAW / name
    os.mkfifo(path)
    told = f"data/raw/{name}: found a pipe or a device; must be a file; save the table as a file"
    assert refusal(path=str(path)).startswith(told)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert refusal(path=str(path)).startswith(told)
