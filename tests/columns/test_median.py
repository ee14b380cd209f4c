"""The median of numbers that are read in blocks is the median of all of them, to the last bit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.columns.median import median, order_statistics


def of(values: NDArray[np.float64], blocks: int = 3) -> float:
    pieces = np.array_split(values, blocks)
    known = int(np.count_nonzero(~np.isnan(values)))
    return median(known, lambda search: sum(map(search.counts, pieces), search.no_counts()))


@pytest.mark.parametrize("rows", [1, 2, 3, 1_000, 1_001])
def test_the_median_is_numpys(rows: int) -> None:
    values = np.random.default_rng(rows).normal(size=rows) * 10.0 ** np.arange(rows).clip(0, 300)
    assert of(values) == np.median(values)
    assert of(np.append(values, [np.nan] * 5)) == np.median(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-0.0, 0.0, 0.0], 0.0),
        ([-1.5, -1.5, 2.0], -1.5),
        ([-3.0, -1.0], -2.0),
        ([1e308, 1.7e308], 1.35e308),
        ([5e-324, 5e-324, -5e-324], 5e-324),
        ([0.1, 0.1 + 2**-56], 0.1),
    ],
)
def test_numbers_near_each_other_and_far_from_zero(values: list[float], expected: float) -> None:
    assert of(np.array(values)) == expected
    assert str(of(np.array(values))) == str(expected)


def test_places_of_several_columns_at_once_and_values_that_count_more_than_once() -> None:
    random = np.random.default_rng(0)
    values, weights = random.normal(size=(501, 2)), random.integers(0, 4, 501)
    pieces = [slice(0, 200), slice(200, 501)]
    plain = order_statistics(
        [[0, 13, 500], [7]],
        lambda searches: [
            sum((each.counts(values[piece, column]) for piece in pieces), each.no_counts())
            for column, each in enumerate(searches)
        ],
    )
    ordered = np.sort(values, axis=0)
    assert plain == [ordered[[0, 13, 500], 0].tolist(), [ordered[7, 1]]]
    repeated = np.sort(np.repeat(values[:, 0], weights))
    (weighted,) = order_statistics(
        [[3, len(repeated) - 1]], lambda searches: [searches[0].counts(values[:, 0], weights)]
    )
    assert weighted == repeated[[3, -1]].tolist()
