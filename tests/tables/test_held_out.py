"""Each side has the rows that it needs."""

import pytest

from pipeline.settings.errors import UserError
from pipeline.tables import held_out


def test_without_a_share_no_side_is_missed() -> None:
    held_out.check_sides(0.0, 3, 0)


@pytest.mark.parametrize(
    ("sides", "told"),
    [((0, 3), "leaves none of 3 rows for training"), ((3, 0), "holds out none of 3 rows")],
)
def test_a_side_without_rows_is_refused(sides: tuple[int, int], told: str) -> None:
    with pytest.raises(UserError, match=f"data.test_fraction: found 0.5, which {told}"):
        held_out.check_sides(0.5, *sides)
