"""A table in S3, imported by DVC without a download, is read where it is; or the message says why not."""

# ruff: noqa: E501 - messages read best one to a line

import socket
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_tables import own_job
from s3_server import BUCKET, Server, import_url, serving, use

from pipeline.settings import dvc_md5
from pipeline.settings.errors import UserError
from pipeline.tables import raw_table


def rows(first: int, last: int) -> pa.Table:
    """Return the rows y = 2x, x from `first` to `last` - 1."""
    x = np.arange(first, last, dtype=np.float64)
    return pa.table({"x": x, "y": 2 * x})


def read(path: Path) -> list[list[float]]:
    """Return the rows of an import."""
    blocks = raw_table.find(own_job(str(path)).data).values()
    return [row for block in blocks for row in block.tolist()]


def refusal(path: Path) -> str:
    """Return the message that refuses an import."""
    with pytest.raises(UserError) as refused:
        read(path)
    return str(refused.value)


def test_an_object_is_read_where_it_is(workspace: Path, s3: Server) -> None:
    s3.put("one.parquet", rows(1, 4))
    path = import_url(f"s3://{BUCKET}/one.parquet", "one.parquet")
    assert read(path) == [[1, 2], [2, 4], [3, 6]]
    assert not Path("data/remote").exists()


def test_a_folder_is_its_parquet_parts_in_the_order_of_their_names(
    workspace: Path, s3: Server
) -> None:
    for number, name in enumerate(("b.parquet", "a/z.parquet", "B.pq")):
        s3.put(f"ordered/{name}", rows(number, number + 1))
    s3.put("ordered/_SUCCESS", b"")
    s3.put("ordered-not/a.parquet", rows(9, 10))
    path = import_url(f"s3://{BUCKET}/ordered", "ordered")
    assert read(path) == [[2, 4], [1, 2], [0, 0]]
    (raw,) = {raw_table.find(own_job(str(path)).data).paths}
    assert [str(part) for part in raw] == [
        f"s3://{BUCKET}/ordered/{name}" for name in ("B.pq", "a/z.parquet", "b.parquet")
    ]


def test_what_is_refused_of_a_part_names_the_part_and_the_row(workspace: Path, s3: Server) -> None:
    s3.put("gaps/a.parquet", rows(0, 3))
    s3.put("gaps/b.parquet", pa.table({"x": [1.0, None], "y": [1.0, 2.0]}))
    told = refusal(import_url(f"s3://{BUCKET}/gaps", "gaps"))
    assert told.startswith(f's3://{BUCKET}/gaps/b.parquet:2: 1 value is missing in "x", in row 2')


def test_parts_with_other_columns_or_types_are_refused(workspace: Path, s3: Server) -> None:
    s3.put("columns/a.parquet", rows(0, 3))
    s3.put("columns/b.parquet", pa.table({"x": [1.0], "z": [1.0]}))
    told = refusal(import_url(f"s3://{BUCKET}/columns", "columns"))
    assert f's3://{BUCKET}/columns/b.parquet: found no column "y"' in told
    s3.put("types/a.parquet", rows(0, 3))
    s3.put("types/b.parquet", pa.table({"x": ["much"], "y": [1.0]}))
    told = refusal(import_url(f"s3://{BUCKET}/types", "types"))
    assert told.startswith(f's3://{BUCKET}/types/b.parquet:1: "x" is "much"; must be a number')


def test_a_table_that_has_changed_since_dvc_looked_is_refused(workspace: Path, s3: Server) -> None:
    s3.put("grown/a.parquet", rows(0, 3))
    path = import_url(f"s3://{BUCKET}/grown", "grown")
    s3.put("grown/b.parquet", rows(3, 5))
    assert refusal(path).startswith(
        f"data/raw/grown.dvc: s3://{BUCKET}/grown is another table now (2 files, "
    )
    s3.remove("grown/b.parquet")
    assert len(read(path)) == 3
    s3.put("grown/a.parquet", rows(1, 4))
    told = refusal(path)
    assert told.endswith(
        "to take it as it is now: `dvc update --no-download data/raw/grown.dvc`, then `dvc repro`"
    )


def test_a_part_that_changes_while_it_is_read_is_refused(workspace: Path, s3: Server) -> None:
    s3.put("mid/a.parquet", rows(0, 200_000))
    path = import_url(f"s3://{BUCKET}/mid", "mid")
    raw = raw_table.find(own_job(str(path)).data)
    s3.put("mid/a.parquet", rows(1, 200_001))
    with pytest.raises(UserError, match=r"mid/a.parquet: changed while the table was read: it had"):
        list(raw.values())
    s3.put("mid/a.parquet", rows(0, 200_000))
    blocks = raw_table.find(own_job(str(path)).data).values()
    next(blocks)
    s3.remove("mid/a.parquet")
    with pytest.raises(UserError, match=r"mid/a.parquet: changed while .*, and is gone; when it"):
        list(blocks)


def test_a_truncated_part_is_refused(workspace: Path, s3: Server) -> None:
    s3.put("short/a.parquet", b"PAR1" + bytes(100))
    told = refusal(import_url(f"s3://{BUCKET}/short", "short"))
    assert told.startswith(f"s3://{BUCKET}/short/a.parquet: not a complete Parquet file (")


def test_addresses_that_lead_nowhere(workspace: Path, s3: Server) -> None:
    at_once: dict[str, Any] = {"etag": "0", "size": 1}
    told = refusal(import_url("s3://no-such-bucket/t", "t", **at_once))
    assert told.startswith(
        "s3://no-such-bucket/t: there is no bucket s3://no-such-bucket; correct its name"
    )
    told = refusal(import_url(f"s3://{BUCKET}/no-such-key", "t", **at_once))
    assert told.startswith(f"s3://{BUCKET}/no-such-key: there is no such file or folder")
    s3.put("texts/a.csv", b"x,y\n1,2\n")
    told = refusal(import_url(f"s3://{BUCKET}/texts", "t"))
    assert (
        told
        == f"data/raw/t.dvc: found no Parquet file in s3://{BUCKET}/texts; must be a file called *.parquet or *.pq, or a folder with such files"
    )


def test_a_server_that_is_not_there_is_told_within_seconds(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Server("http://127.0.0.1:1"), monkeypatch)
    told = refusal(import_url("s3://tables/t", "t", etag="0", size=1))
    assert told.startswith("s3://tables/t: the server does not answer (")


@pytest.mark.slow
def test_a_server_that_takes_requests_and_does_not_answer(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(Server(f"http://127.0.0.1:{silent.getsockname()[1]}"), monkeypatch)
        told = refusal(import_url("s3://tables/t", "t", etag="0", size=1))
        assert told.startswith("s3://tables/t: the server does not answer (")


def test_credentials_that_are_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(INITIAL_NO_AUTH_ACTION_COUNT="1") as server:
        use(server, monkeypatch)
        told = refusal(import_url(f"s3://{BUCKET}/t", "t", etag="0", size=1))
    assert told.startswith(
        f"s3://{BUCKET}/t: you may not read it (ACCESS_DENIED); check AWS_ACCESS_KEY_ID"
    )


def test_an_import_that_dvc_would_download_is_refused(workspace: Path) -> None:
    """`dvc repro` downloads it before any stage, because its output lies in a dependency."""
    path = import_url("s3://tables/t", "t", out="t", etag="0", size=1)
    assert refusal(path) == (
        "data/raw/t.dvc: found `path: t` under outs, which is in data/raw, where `dvc repro` downloads it before any stage runs; to leave the table where it is, write there\n"
        "    path: ../remote/t\n    cache: false\n  and then `dvc update --no-download data/raw/t.dvc`"
    )
    path.write_text(
        path.read_text().replace("path: t\n", "path: ../remote/t\n").replace("cache: false", "")
    )
    assert "without `cache: false`, so that `dvc pull` downloads it" in refusal(path)


def test_a_folder_of_this_machine_outside_the_repository(workspace: Path, tmp_path: Path) -> None:
    """A mounted disk, for example."""
    folder = tmp_path / "disk"
    folder.mkdir()
    for number in range(2):
        pq.write_table(rows(number, number + 2), folder / f"{number}.parquet")
    noted: dict[str, Any] = {"md5": dvc_md5.of(folder), "nfiles": 2}
    path = import_url(str(folder), "disk", **noted)
    assert read(path) == [[0, 0], [1, 2], [1, 2], [2, 4]]
    pq.write_table(rows(5, 6), folder / "1.parquet")
    assert f"{folder} is another table now (2 files, " in refusal(path)


def test_other_file_systems_are_fsspecs(workspace: Path) -> None:
    fsspec.filesystem("memory").pipe_file("/folder/a.parquet", parquet_bytes(rows(1, 3)))
    path = import_url("memory://folder", "memory", nfiles=1, md5="0.dir")
    assert read(path) == [[1, 2], [2, 4]]
    told = refusal(import_url("https://example.com/t.parquet", "web", etag="0", size=1))
    assert "https://example.com/t.parquet cannot be read in place" in told
    told = refusal(import_url("nowhere://t", "odd", etag="0", size=1))
    assert told.startswith("nowhere://: cannot be read: ")


def test_files_that_nothing_tells_apart_are_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a part of the same size that changes while it is read would be noticed by nobody."""
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/untagged/a.parquet", parquet_bytes(rows(1, 3)))
    info = type(memory).info

    def without_time(self: Any, path: str, **options: Any) -> Any:
        return info(self, path, **options) | {"created": None}

    monkeypatch.setattr(type(memory), "info", without_time)
    path = import_url("memory://untagged", "untagged", nfiles=1, md5="0.dir")
    assert refusal(path) == (
        "data/raw/untagged.dvc: memory://untagged cannot be read in place, because memory:// says neither the etag of a file nor when it was changed; `dvc import-url memory://untagged data/raw/` downloads it"
    )


def parquet_bytes(whole: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    file = BytesIO()
    pq.write_table(whole, file)
    return file.getvalue()


def test_the_dvc_file_of_a_table_that_is_here(workspace: Path) -> None:
    path = Path("data/raw/t.csv.dvc")
    path.parent.mkdir(parents=True)
    path.write_text("outs:\n- md5: 5d41402abc4b2a76b9719d911017c592\n  size: 5\n  path: t.csv\n")
    assert (
        refusal(path)
        == "data.source: data/raw/t.csv.dvc is the .dvc file of a table that is here; write data/raw/t.csv"
    )
    path.write_text("nothing")
    assert refusal(path) == "data/raw/t.csv.dvc: found no import of DVC's in it; restore the file"
