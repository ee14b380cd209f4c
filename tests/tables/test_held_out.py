"""The side of a row depends on its place and the seed, and each side has the rows that it needs."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream
from pipeline.tables import held_out

ROWS = pa.table({"a": [f"level {row}" for row in range(1000)], "y": [*map(float, range(1000))]})


def test_each_row_is_on_one_side_in_its_order_whatever_the_blocks() -> None:
    draws = stream(0, "split")
    training, test = held_out.split(ROWS, 0.3, draws)
    is_held_out = stream(0, "split").random(1000) < 0.3
    assert training == ROWS.take(np.flatnonzero(~is_held_out))
    assert test == ROWS.take(np.flatnonzero(is_held_out))
    draws = stream(0, "split")
    blocks = [ROWS.slice(0, 1), ROWS.slice(1, 399), ROWS.slice(400)]
    sides = [held_out.split(block, 0.3, draws) for block in blocks]
    assert pa.concat_tables([side[0] for side in sides]) == training
    assert pa.concat_tables([side[1] for side in sides]) == test


def test_a_larger_share_holds_out_the_same_rows_and_more() -> None:
    tenth, third = (
        set(held_out.split(ROWS, share, stream(0, "split"))[1]["y"].to_pylist())
        for share in (0.1, 0.3)
    )
    assert tenth < third


def test_without_a_share_nothing_is_held_out() -> None:
    training, test = held_out.split(ROWS, 0.0, stream(0, "split"))
    assert training is ROWS
    assert test.schema == ROWS.schema
    assert test.num_rows == 0
    held_out.check_sides(0.0, 3, 0)


@pytest.mark.parametrize(
    ("sides", "told"),
    [((0, 3), "leaves none of 3 rows for training"), ((3, 0), "holds out none of 3 rows")],
)
def test_a_side_without_rows_is_refused(sides: tuple[int, int], told: str) -> None:
    with pytest.raises(UserError, match=f"data.test_fraction: found 0.5, which {told}"):
        held_out.check_sides(0.5, *sides)
