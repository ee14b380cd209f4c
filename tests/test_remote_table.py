"""A table in S3, from `dvc import-url` to a verified ONNX file, without a copy of its rows."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import Clone, job_text
from s3_server import BUCKET, VARIABLES, Server, serving


def rows(seed: int) -> pa.Table:
    """Return 2,000 rows of y = 3a − 2b + 1."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 2_000))
    return pa.table({"a": a, "b": b, "y": 3 * a - 2 * b + 1})


def import_table(path: Path) -> None:
    """Do with the .dvc file of an import what docs/large-tables.md says."""
    text = path.read_text()
    assert text.endswith("  path: houses\n")
    path.write_text(text.removesuffix("houses\n") + "../remote/houses\n  cache: false\n")


@pytest.mark.slow
def test_a_table_in_s3_is_never_copied(clone: Clone) -> None:
    with serving() as server:
        put_and_reproduce(server, clone)


def put_and_reproduce(server: Server, clone: Clone) -> None:
    for number in range(2):
        server.put(f"houses/{number}.parquet", rows(number))
    user = clone("user")
    user.variables = VARIABLES | {"AWS_ENDPOINT_URL": server.url}
    text = job_text(
        data__source="data/raw/houses.dvc",
        data__keep_rows=False,
        data__features=[],
        data__test_fraction=0.2,
        train__optimizer="exact",
        evaluate__queries=[[1.0, 1.0]],
    )
    (user.path / "params.yaml").write_text(text)
    url = f"s3://{BUCKET}/houses"
    user("dvc", "import-url", "--no-download", url, "data/raw/houses")
    told = user("python", "-m", "pipeline.check", ok=False)
    assert "    path: ../remote/houses\n    cache: false\n" in told
    import_table(user.path / "data/raw/houses.dvc")
    user("dvc", "update", "--no-download", "data/raw/houses.dvc")
    user("python", "-m", "pipeline.check")
    user("git", "add", "--all")
    user("git", "commit", "--quiet", "--message=A table in S3")

    user("dvc", "repro")
    assert "onnxruntime agrees with torch" in user("python", "-m", "pipeline.summary")
    assert not (user.path / "data/remote").exists()
    assert not (user.path / "data/raw/houses").exists()
    metrics = json.loads((user.path / "reports/metrics.json").read_text())
    assert metrics["train"]["r2"] == 1

    server.put("houses/2.parquet", rows(2))
    assert "houses.dvc" not in user("dvc", "status", "generate")
    told = user("python", "-m", "pipeline.generate", ok=False)
    assert "`dvc update --no-download data/raw/houses.dvc`, then `dvc repro`" in told
    user("dvc", "update", "--no-download", "data/raw/houses.dvc")
    user("dvc", "repro")
    summary = json.loads((user.path / "data/summary.json").read_text())
    assert summary["train"]["rows"] + summary["test"]["rows"] == 6_000
    assert not (user.path / "data/remote").exists()
