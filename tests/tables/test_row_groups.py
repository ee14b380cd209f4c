"""Row groups are read one by one, or several small ones together."""

import pytest

from pipeline.tables import row_groups


@pytest.mark.parametrize(
    ("group_rows", "parts"),
    [
        ([7, 7, 7, 1], [[0, 1], [2, 3]]),
        ([40, 1, 1, 40], [[0], [1, 2], [3]]),
        ([15, 15], [[0], [1]]),
        ([], []),
    ],
)
def test_small_row_groups_are_read_together(group_rows: list[int], parts: list[list[int]]) -> None:
    groups = range(len(group_rows))
    assert list(row_groups.joined(groups, group_rows, 15)) == parts
