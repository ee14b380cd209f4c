"""The interval comes from all held-out rows, exactly, in however many blocks they are read."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.measures.calibration import Calibration, calibrated
from pipeline.settings.seeds import stream

Floats = NDArray[np.float64]


def halves(before: int, rows: int) -> NDArray[np.bool_]:
    return stream(0, "interval").random(before + rows)[before:] < 0.5


def of(residuals: Floats, cuts: Sequence[int] = ()) -> Calibration | None:
    pieces = np.split(residuals, cuts)
    return calibrated(lambda: [(piece, None) for piece in pieces], residuals.shape[1], halves)


def skewed(rows: int) -> Floats:
    return np.random.default_rng(rows).exponential(size=(rows, 2)) * [1.0, -1000.0]


@pytest.mark.parametrize("rows", [39, 40, 78, 79, 500])
def test_the_ends_are_order_statistics_of_each_target(rows: int) -> None:
    residuals = skewed(rows)
    told = of(residuals)
    assert told is not None
    ordered, beyond = np.sort(residuals, axis=0), (rows + 1) // 40
    assert told.low == tuple(ordered[beyond - 1].tolist())
    assert told.high == tuple(ordered[-beyond].tolist())
    assert told.rows == rows
    assert of(residuals, [1, rows // 2]) == told


def test_few_rows_have_a_symmetric_interval_and_fewer_none() -> None:
    residuals = skewed(25)
    told = of(residuals)
    assert told is not None
    assert told.high == tuple(np.sort(np.abs(residuals), axis=0)[24].tolist())
    assert told.low == tuple(-each for each in told.high)
    assert told.coverage is None  # a half has fewer than 19
    assert of(skewed(18)) is None
    assert of(np.empty((0, 2))) is None


def test_the_coverage_is_counted_in_the_half_that_did_not_calibrate() -> None:
    residuals = skewed(301)
    first = halves(0, 301)
    told = of(residuals, [100])
    assert told is not None
    covered = 0
    for counted, other in ((first, ~first), (~first, first)):
        by = np.sort(residuals[other], axis=0)
        beyond = (len(by) + 1) // 40
        low, high = by[beyond - 1], by[-beyond]
        inside = (residuals[counted] >= low) & (residuals[counted] <= high)
        covered += int(np.count_nonzero(inside))
    assert told.coverage == covered / 602
    assert 0.9 < told.coverage < 1


def test_on_many_draws_new_rows_lie_in_it_95_times_of_a_hundred() -> None:
    """Of skewed errors with heavy tails, with which the interval of least squares would miss."""
    random, covered = np.random.default_rng(5), []
    for _ in range(200):
        residuals = random.standard_t(2, size=(120, 1)) ** 2
        told = of(residuals)
        assert told is not None
        new = random.standard_t(2, size=1000) ** 2
        covered.append(np.mean((new >= told.low[0]) & (new <= told.high[0])))
    assert np.mean(covered) == pytest.approx(1 - 6 / 121, abs=0.004)


def test_ends_are_rounded_as_the_file_rounds_them() -> None:
    told = Calibration(50, (-0.1,), (0.7,), None)
    (first, second) = told.around(np.array([[1.1], [3.3]]), "float32")
    assert first == [[1.0, 1.8000001]]  # not 1.8: the sum was rounded to float32 once
    assert second[0][1] == float(str(np.float32(float(np.float32(3.3)) + 0.7)))
    assert told.in_metrics(["y"])["interval"]["low"] == {"y": -0.1}


def test_a_row_that_counts_several_times_is_as_good_as_several_rows() -> None:
    residuals = skewed(50)
    times = np.random.default_rng(2).integers(1, 4, 50)
    told = calibrated(lambda: [(residuals, times)], 2, halves)
    repeated = of(np.repeat(residuals, times, axis=0))
    assert told is not None
    assert repeated is not None
    assert (told.rows, told.low, told.high) == (repeated.rows, repeated.low, repeated.high)
    assert told.rows == times.sum()
