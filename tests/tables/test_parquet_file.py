"""A Parquet file is read to exactly the numbers in it, or refused with the row of the trouble."""

# ruff: noqa: E501 - a table of messages reads best one to a line

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import job
from own_tables import OR_LET, own_job, parquet, put, refusal, values

from pipeline.settings.errors import UserError
from pipeline.tables import raw_table


def test_parquet_types_that_are_numbers(workspace: Path) -> None:
    integers = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    columns = {kind: pa.array([0, 1, 127], kind) for kind in integers}
    columns |= {"half": pa.array([0.5, 1, 2], pa.float16()), "single": pa.array([0.1, 1, 2], "f4")}
    put(pa.table(columns | {"y": [0.1, 2.0**60, -1e300]}), "t.parquet")
    raw = raw_table.find(own_job("data/raw/t.parquet").data)
    assert raw.features == (*columns, "y")[:-1]
    assert raw.float32 == {"half", "single"}
    (block,) = raw.values()
    assert block[:, 8].tolist() == [0.5, 1, 2]
    assert block[:, 9].tolist() == [float(np.float32(0.1)), 1, 2]
    assert block[:, 10].tolist() == [0.1, 2**60, -1e300]
    assert (block[:, :8] == [[0], [1], [127]]).all()


def test_a_parquet_column_whose_name_begins_another_path(workspace: Path) -> None:
    put(pa.table({"a.b": [1.0], "a": [2.0], "y": [3.0], "text": ["t"]}), "t.parquet")
    assert values("data/raw/t.parquet", features=("a",)).tolist() == [[2, 3]]
    assert values("data/raw/t.parquet", features=("a", "a.b")).tolist() == [[2, 1, 3]]


@pytest.mark.parametrize(
    ("columns", "asked", "told"),
    [
        ({"x": pa.array([True]), "y": [1.0]}, {}, ':1: "x" is "true"; must be a number\n    "x" holds text\n  write in params.yaml, under data:\n    features: {x: category}'),
        ({"x": pa.array([1], "timestamp[us]"), "y": [1.0]}, {"features": ("x",)}, ':1: "x" is "1970-01-01 00:00:00.000001"; must be a number\n    "x" holds dates\n  write in params.yaml, under data:\n    features: {x: date}'),
        ({"x": ["a"], "w": pa.array(["b"]).dictionary_encode(), "v": [[1]], "y": [1]}, {}, ':1: "x" is "a"; must be a number\n    "x", "w" hold text\n    "v" holds lists or mappings\n  write in params.yaml, under data:\n    features: {x: category, w: category}\n    exclude: [v]'),
        ({"x": pa.array([None]), "y": [1]}, {}, ':1: 1 value is missing in "x", in row 1; "x" has no value at all\n  write in params.yaml, under data:\n    exclude: [x]'),
        ({"x": [1, None, 3], "y": [None, None, 1.0]}, {}, ':1: 2 values are missing in "y", in rows 1, 2\n  write in params.yaml, under data:\n    drop_rows: missing_target'),
        ({"x": [1.0, float("nan")], "y": [float("-inf"), 1.0]}, {}, ':2: 1 value is missing in "x", in row 2; a gap in a number may also be `missing: mean`, median or a constant\n  data/raw/t.parquet:1: 1 value is infinite in "y", in row 1; replace them by finite numbers, or remove these rows\n  write in params.yaml, under data:\n    features: {x: {kind: number, missing: drop_row}}'),
        ({"x": [1, -(2**53) - 1], "y": [1, 2]}, {}, ':2: "x" is -9007199254740993, an integer that float64 cannot represent (the nearest is -9007199254740992); if it is a label, leave the column out, `exclude: [x]` under data; else write it in a larger unit'),
        ({"x": pa.array([2**64 - 1], "u8"), "y": [1]}, {}, ':1: "x" is 18446744073709551615, an integer that float64 cannot represent (the nearest is 18446744073709551616); if it is a label, leave the column out, `exclude: [x]` under data; else write it in a larger unit'),
        ({"x": [1], "y": [1], "__index_level_0__": [7]}, {}, ': found "__index_level_0__", which may be row labels (pandas writes none with index=False); leave it out: `exclude: [__index_level_0__]` in params.yaml, under data'),
    ],
)  # fmt: skip
def test_messages_about_a_parquet_file(
    workspace: Path, columns: dict[str, Any], asked: dict[str, Any], told: str
) -> None:
    columns = {name: pa.array(c) if isinstance(c, list) else c for name, c in columns.items()}
    told_now = refusal(pa.table(columns), "data/raw/t.parquet", **asked).split(OR_LET)[0]
    assert told_now == f"data/raw/t.parquet{told}"


def test_a_damaged_parquet_file(workspace: Path) -> None:
    path = put(parquet(x=np.arange(50_000.0), y=np.arange(50_000.0)), "t.parquet")
    whole = path.read_bytes()
    told = "; fetch or write it again, or name it .csv if it is one"
    for damaged in (b"", b"x,y\n1,2\n", whole[:-9], whole[:1000], b"PAR1" + whole[9:]):
        text = refusal(damaged, "data/raw/t.parquet")
        assert text.startswith("data/raw/t.parquet: not a complete Parquet file (")
        assert text.endswith(told)
        assert "\n" not in text


def test_damaged_copies_of_a_parquet_file_are_read_or_refused(workspace: Path) -> None:
    """1,500 of them have been tried; each is a table or one message, never a traceback."""
    draw = random.Random(0)
    numbers = np.arange(300.0)
    whole = put(parquet(x=numbers, y=numbers), "t.parquet").read_bytes()
    refused = []
    for _ in range(50):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 1, 5])):
            damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        put(bytes(damaged), "t.parquet")
        try:
            values("data/raw/t.parquet")
        except UserError as error:
            refused.append(str(error))
    assert 10 < len(refused) < 50
    assert all(told.startswith("data/raw/t.parquet: ") for told in refused)


@pytest.mark.parametrize("features", [["x"], {"x": "category"}])
def test_text_that_is_not_utf8_is_refused(workspace: Path, features: object) -> None:
    texts = pa.array([b"ok", b"\xff\xfe"], pa.binary()).view(pa.string())
    put(pa.table({"x": texts, "y": [1.0, 2.0]}), "t.parquet")
    settings = {"data__source": "data/raw/t.parquet", "evaluate__queries": []}
    raw = raw_table.find(job(data__features=features, **settings).data)
    with pytest.raises(UserError, match='t.parquet:1: found text that is not UTF-8 in "x"'):
        list(raw.rows())
