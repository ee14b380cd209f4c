"""The mean difference of squared errors, against SciPy's and statsmodels' paired t test."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from pipeline.measures.paired_difference import DifferenceSums, PairedDifference, in_folds
from pipeline.settings.errors import UserError


def of(first: np.ndarray, other: np.ndarray, block: int = 10**6) -> PairedDifference:
    sums = DifferenceSums()
    for begin in range(0, len(first), block):
        rows = slice(begin, begin + block)
        sums.add(first[rows], other[rows])
    return sums.result()


@pytest.mark.parametrize("rows", [2, 3, 30, 20_000])
@pytest.mark.parametrize("level", [0.0, 1e6])
def test_mean_and_interval(rows: int, level: float) -> None:
    random = np.random.default_rng(rows)
    first = random.normal(size=rows) ** 2
    other = first + random.normal(0.1, 0.5, rows) + level
    paired = of(first, other)
    test = stats.ttest_rel(other, first)
    low, high = DescrStatsW(other - first).tconfint_mean(0.05)
    assert paired.pairs == rows
    assert paired.mean == pytest.approx((other - first).mean(), rel=1e-12)
    assert [paired.low, paired.high] == pytest.approx([low, high], rel=1e-9)
    assert [paired.low, paired.high] == pytest.approx(list(test.confidence_interval()), rel=1e-9)
    assert paired.is_noise is bool(test.pvalue >= 0.05)
    assert (paired.first, paired.other) == pytest.approx((first.mean(), other.mean()), rel=1e-14)


def test_blocks_do_not_matter() -> None:
    random = np.random.default_rng(0)
    first, other = random.exponential(size=(2, 5_000))
    assert of(first, other, 7) == of(first, other)


def test_the_other_way_round_the_signs_change() -> None:
    random = np.random.default_rng(0)
    first, other = random.exponential(size=(2, 100))
    there, back = of(first, other), of(other, first)
    assert there.low is not None
    assert there.high is not None
    assert back.mean == -there.mean
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), rel=1e-12)


def test_a_constant_difference_is_no_noise_and_no_difference_is() -> None:
    """No scatter: the interval is a point, and no root of a rounding error below 0 is taken."""
    first = np.full(1000, 0.1)
    paired = of(first, first + 0.2)
    assert paired.low == paired.mean == paired.high
    assert not paired.is_noise
    assert of(first, first).is_noise


def test_one_row_has_no_interval() -> None:
    paired = of(np.array([1.0]), np.array([3.0]))
    assert (paired.mean, paired.low, paired.high) == (2, None, None)
    assert paired.is_noise


@pytest.mark.slow
def test_95_of_100_intervals_have_the_true_mean() -> None:
    """The interval of a wrong t, or of the deviation in place of the error, has another share."""
    random = np.random.default_rng(5)
    intervals = [of(np.zeros(8), random.normal(0.3, 1, 8)) for _ in range(2000)]
    hits = sum(
        each.low <= 0.3 <= each.high
        for each in intervals
        if each.low is not None and each.high is not None
    )
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_errors_beyond_float64_are_refused() -> None:
    with pytest.raises(UserError, match="beyond what float64 holds"):
        of(np.array([0.0, 1e200]), np.array([1.0, 0.0]))


def test_folds_share_training_rows() -> None:
    """Nadeau and Bengio's corrected resampled t test; for equal folds of J parts."""
    first, other = [4.0, 5.0, 3.5, 6.0, 4.5], [3.0, 4.5, 3.0, 5.25, 3.5]
    difference = in_folds(first, other, [(80, 20)] * 5)
    differences = np.subtract(other, first)
    error = math.sqrt(differences.var(ddof=1) * (1 / 5 + 20 / 80))
    ends = stats.t.interval(0.95, 4, loc=differences.mean(), scale=error)
    assert (difference.low, difference.high) == pytest.approx(ends)
    assert (difference.first, difference.other) == pytest.approx((np.mean(first), np.mean(other)))
    assert difference.mean == pytest.approx(differences.mean())
    assert difference.pairs == 5
    wide = stats.ttest_rel(other, first).confidence_interval()
    assert difference.high > wide.high, "as if the folds were independent"


def test_of_folds_in_time_the_mean_share_of_test_rows_counts() -> None:
    sizes = [(20 * fold, 20) for fold in (1, 2, 3, 4)]
    difference = in_folds([4.0, 5.0, 3.5, 6.0], [3.0, 4.5, 3.0, 5.25], sizes)
    share = np.mean([1 / 2, 1 / 3, 1 / 4, 1 / 5])
    error = np.std([-1, -0.5, -0.5, -0.75], ddof=1) * math.sqrt(1 / 4 + share / (1 - share))
    ends = stats.t.interval(0.95, 3, loc=-0.6875, scale=error)
    assert (difference.low, difference.high) == pytest.approx(ends)
    same = in_folds([1.0, 2.0], [1.0, 2.0], [(1, 9), (9, 1)])
    assert (same.low, same.high, same.is_noise) == (0.0, 0.0, True)
