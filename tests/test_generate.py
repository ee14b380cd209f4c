"""`generate` writes the training table and the test table, both or neither."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import job
from numpy.typing import NDArray
from own_tables import environment_of_tests, own_job, parquet, put, rows_csv

from pipeline import generate
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream
from pipeline.tables import table, text_source
from pipeline.tables.generated import generated_table


def sides() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return table.read(files.TRAIN).values, table.read(files.TEST).values


def test_the_side_of_a_row_depends_on_its_place_and_the_seed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(rows_csv(0, 5_000))
    generate.main(own_job(fraction=0.2))
    train, test = sides()
    expected = stream(0, "split").random(5_000) < 0.2
    assert test[:, 0].tolist() == np.flatnonzero(expected).tolist()
    assert train[:, 0].tolist() == np.flatnonzero(~expected).tolist()
    assert (train[:, 1] == train[:, 0] / 7).all()
    assert abs(len(test) / 5_000 - 0.2) < 0.02
    before = files.TRAIN.read_bytes(), files.TEST.read_bytes()

    monkeypatch.setattr(text_source, "BYTES_PER_CHUNK", 999)
    generate.main(own_job(fraction=0.2))
    assert (files.TRAIN.read_bytes(), files.TEST.read_bytes()) == before

    put(rows_csv(0, 1_234), "part/1.csv")
    put(rows_csv(1_234, 1_234), "part/2.csv")
    put(rows_csv(1_234, 5_000), "part/3.csv")
    generate.main(own_job("data/raw/part/*.csv", fraction=0.2))
    assert (files.TRAIN.read_bytes(), files.TEST.read_bytes()) == before

    put(rows_csv(0, 6_000))
    generate.main(own_job(fraction=0.2))
    longer, held_out = sides()
    assert held_out[: len(test)].tolist() == test.tolist()
    assert longer[: len(train)].tolist() == train.tolist()

    generate.main(own_job(fraction=0.2, seed=1))
    assert files.TEST.read_bytes() != before[1]


def test_float32_stays_so(workspace: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=100)
    put(parquet(x=numbers.astype(np.float32), y=numbers), "t.parquet")
    generate.main(own_job("data/raw/t.parquet", fraction=0.3))
    for path in (files.TRAIN, files.TEST):
        assert [str(kind) for kind in pq.read_schema(path).types] == ["float", "double"]
        assert table.read(path).float32 == {"x"}


def test_nothing_held_out_is_an_empty_test_table(workspace: Path) -> None:
    generate.main(job())
    train, test = sides()
    assert train.tolist() == [[1, 2], [2, 4], [3, 6]]
    assert test.shape == (0, 2)


def test_rows_that_are_made_are_held_out_too(workspace: Path) -> None:
    made = job(data__generate__x=None, data__generate__rows=500, data__test_fraction=0.25)
    generate.main(made)
    train, test = sides()
    held_out = stream(0, "split").random(500) < 0.25
    rows = generated_table(made.data, 0).values
    np.testing.assert_array_equal(train, rows[~held_out])
    np.testing.assert_array_equal(test, rows[held_out])


def test_a_side_without_rows(workspace: Path) -> None:
    for fraction, told in (
        (1e-9, "found 1e-09, which holds out none of 3 rows; make it larger, set it to 0.0, or"),
        (0.999999, "found 0.999999, which leaves none of 3 rows for training; make it smaller, or"),
    ):
        with pytest.raises(UserError) as caught:
            generate.main(job(data__test_fraction=fraction))
        assert str(caught.value) == f"data.test_fraction: {told} change the seed"
        assert not files.TRAIN.exists()
        assert not files.TEST.exists()
    assert not list(Path("data").glob("*"))


def test_a_refusal_leaves_no_file(workspace: Path) -> None:
    put(rows_csv(0, 100_000) + "1,oops\n")
    with pytest.raises(UserError, match=r'data/raw/t.csv:100002: "y" is "oops"; must be a number'):
        generate.main(own_job())
    assert [path.name for path in Path("data").iterdir()] == ["raw"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_nothing_imports_pandas(workspace: Path, name: str) -> None:
    numbers = np.arange(10.0)
    put(rows_csv(0, 10) if name == "t.csv" else parquet(x=numbers, y=numbers), name)
    program = (
        "import sys; from conftest import job; from pipeline import generate\n"
        "from pipeline.settings import files; from pipeline.tables import table\n"
        f"generate.main(job(data__source='data/raw/{name}', data__features=[],"
        " data__targets=['y'], data__test_fraction=0.5, evaluate__queries=[]))\n"
        "table.read(files.TRAIN), table.read(files.TEST)\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=environment_of_tests())
