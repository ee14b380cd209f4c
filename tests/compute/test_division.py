"""The side of a row depends on its place and the seed."""

import numpy as np
import pyarrow as pa

from pipeline.compute.draws import DrawnDivision
from pipeline.settings.seeds import stream

ROWS = pa.table({"a": [f"level {row}" for row in range(1000)], "y": [*map(float, range(1000))]})


def test_each_row_is_on_one_side_in_its_order_whatever_the_blocks() -> None:
    division = DrawnDivision(0, 0.3)
    training, test = division.sides(ROWS, 0).values()
    is_held_out = stream(0, "split").random(1000) < 0.3
    assert training == ROWS.take(np.flatnonzero(~is_held_out))
    assert test == ROWS.take(np.flatnonzero(is_held_out))
    blocks = [(ROWS.slice(0, 1), 0), (ROWS.slice(1, 399), 1), (ROWS.slice(400), 400)]
    sides = [division.sides(block, before) for block, before in blocks]
    assert pa.concat_tables([side["train"] for side in sides]) == training
    assert pa.concat_tables([side["test"] for side in sides]) == test


def test_a_larger_share_holds_out_the_same_rows_and_more() -> None:
    tenth, third = (
        set(DrawnDivision(0, share).sides(ROWS, 0)["test"]["y"].to_pylist()) for share in (0.1, 0.3)
    )
    assert tenth < third


def test_without_a_share_nothing_is_held_out() -> None:
    sides = DrawnDivision(0, 0.0).sides(ROWS, 0)
    assert sides["train"] is ROWS
    assert "test" not in sides
