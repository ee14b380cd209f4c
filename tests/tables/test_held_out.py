"""The side of a row depends on its place and the seed, and each side has the rows that it needs."""

import numpy as np
import pytest

from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream
from pipeline.tables import held_out

ROWS = np.asfortranarray(np.arange(2000.0).reshape(1000, 2))


def test_each_row_is_on_one_side_in_its_order_whatever_the_blocks() -> None:
    draws = stream(0, "split")
    training, test = held_out.split(ROWS, 0.3, draws)
    is_held_out = stream(0, "split").random(1000) < 0.3
    np.testing.assert_array_equal(training, ROWS[~is_held_out])
    np.testing.assert_array_equal(test, ROWS[is_held_out])
    assert training.flags.f_contiguous
    draws = stream(0, "split")
    sides = [held_out.split(block, 0.3, draws) for block in np.split(ROWS, [1, 400])]
    np.testing.assert_array_equal(np.concatenate([side[0] for side in sides]), training)
    np.testing.assert_array_equal(np.concatenate([side[1] for side in sides]), test)


def test_a_larger_share_holds_out_the_same_rows_and_more() -> None:
    tenth, third = (
        set(held_out.split(ROWS, share, stream(0, "split"))[1][:, 0]) for share in (0.1, 0.3)
    )
    assert tenth < third


def test_without_a_share_nothing_is_held_out() -> None:
    training, test = held_out.split(ROWS, 0.0, stream(0, "split"))
    assert training is ROWS
    assert test.shape == (0, 2)
    held_out.check_sides(0.0, 3, 0)


@pytest.mark.parametrize(
    ("sides", "told"),
    [((0, 3), "leaves none of 3 rows for training"), ((3, 0), "holds out none of 3 rows")],
)
def test_a_side_without_rows_is_refused(sides: tuple[int, int], told: str) -> None:
    with pytest.raises(UserError, match=f"data.test_fraction: found 0.5, which {told}"):
        held_out.check_sides(0.5, *sides)
