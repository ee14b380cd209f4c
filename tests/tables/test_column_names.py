"""Columns are found by the names that a person reads."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import HIDDEN
from own_tables import own_job, parquet, put, refusal, values

from pipeline.settings import files
from pipeline.tables import raw_table


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_name_is_refused_whether_it_is_listed_or_found(workspace: Path, hidden: str) -> None:
    """See test_params for the same names in data.features."""
    content = parquet(**{f"a{hidden}b": [1.0, 2.0], "y": [1.0, 2.0]})
    told = refusal(content, "data/raw/t.parquet")
    assert "no invisible one, such as a line end or a tab; rename it" in told


NFC, NFD = "gr\u00f6\u00dfe", "gro\u0308\u00dfe"  # ö as one character, and as o with two dots


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(("asked", "there"), [(NFC, NFD), (NFD, NFC)])
def test_names_that_are_the_same_to_a_reader(
    workspace: Path, kind: str, asked: str, there: str
) -> None:
    """Keyboards write ö as one character, macOS as two."""
    path = f"data/raw/t.{kind}"
    put(f"{there},y\n1,2\n" if kind == "csv" else pa.table({there: [1], "y": [2]}), f"t.{kind}")
    raw = raw_table.find(own_job(path, features=(asked,)).data)
    assert raw.features == (asked,)
    assert np.concatenate([*raw.values()]).tolist() == [[1, 2]]
    # A target is none of the features, however it is written.
    raw = raw_table.find(own_job(path, targets=(asked,)).data)
    assert raw.features == ("y",)
    (files.RAW / "u.csv").write_text(f"{asked},y\n3,4\n")
    assert values("data/raw/*").tolist() == [[1, 2], [3, 4]]


def test_names_that_only_look_the_same(workspace: Path) -> None:
    assert refusal("a\u00a0b\u200b,y\n1,2\n", features=("a b",)) == (
        'data/raw/t.csv: found no column "a b" (data.features); it has "a\\u00a0b\\u200b", which'
        " only looks the same; copy that name"
    )
