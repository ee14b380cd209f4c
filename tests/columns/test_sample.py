"""data/sample.parquet is read only if it belongs to data/summary.json."""

from pathlib import Path

import pyarrow as pa
import pytest
from conftest import job

from pipeline import generate
from pipeline.columns.plan import read_plan
from pipeline.columns.sample import Sample, read_sample
from pipeline.columns.summary import read_summary
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import table

CURE = "; `dvc repro -f generate` makes the files of data/ again"


def read() -> Sample:
    return read_sample(read_summary(), read_plan(), ("y",))


def test_a_small_table_is_its_own_sample(workspace: Path) -> None:
    generate.main(job(data__generate__x=None, data__generate__rows=300, data__test_fraction=0.3))
    sample = read()
    assert sample.training.equals(table.read_arrow(files.TRAIN))
    assert sample.drawn == sample.training.num_rows
    assert sample.test.equals(table.read_arrow(files.TEST))


def test_a_sample_of_another_table_is_refused(workspace: Path) -> None:
    generate.main(job())
    rows = table.read_arrow(files.SAMPLE)
    content = files.SAMPLE.read_bytes()

    def refusal(change: pa.Table | bytes | None) -> str:
        if isinstance(change, pa.Table):
            with table.writer(files.SAMPLE, change.schema) as file:
                file.write(change)
        elif change is None:
            files.SAMPLE.unlink()
        else:
            files.SAMPLE.write_bytes(change)
        with pytest.raises(UserError) as caught:
            read()
        return str(caught.value)

    assert refusal(rows.slice(0, 2)) == (
        f"data/sample.parquet: found 2 rows, but data/summary.json says 3{CURE}"
    )
    assert refusal(rows.rename_columns(["x", "z"])) == (
        "data/sample.parquet: it has no column y, which data/columns.json and data.targets"
        f" name{CURE}"
    )
    assert refusal(content[:90]).startswith("data/sample.parquet: not a readable Parquet file (")
    assert refusal(None) == ("data/sample.parquet: there is no such file; `dvc repro` makes it")
