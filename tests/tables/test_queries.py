"""Queries are rows of as many numbers as there are features."""

import pytest

from pipeline.settings.errors import UserError
from pipeline.tables.queries import query_rows


def test_queries_become_a_matrix() -> None:
    assert query_rows([[1.0, 2.0], [3.0, 4.0]], ["a", "b"]).tolist() == [[1, 2], [3, 4]]
    assert query_rows([], ["a", "b"]).shape == (0, 2)


def test_a_query_of_another_width_is_refused_with_its_place() -> None:
    with pytest.raises(UserError) as caught:
        query_rows([[1.0, 2.0], [3.0]], ["a", "b"])
    assert str(caught.value) == (
        "evaluate.queries[1]: found 1 number; must be 2, one for each feature (a, b), or"
        " evaluate.queries must be []"
    )
