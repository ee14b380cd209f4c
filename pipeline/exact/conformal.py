"""Split-conformal 95 % intervals: which of the residuals of held-out rows are their ends.

With n residuals y − prediction of rows that the model has never seen, the interval reaches from the
k-th smallest to the k-th largest one, k = ⌊(n + 1)/40⌋. A new row that is drawn like them lies
below it with a probability of at most k/(n + 1) ≤ 2.5 %, above it the same, whatever the model, its
loss and the distribution (Vovk, Gammerman and Shafer 2005; Lei, G'Sell, Rinaldo, Tibshirani and
Wasserman, *Distribution-free predictive inference for regression*, JASA 113, 2018). Of fewer than
39 rows no residual is so extreme: there the sizes of the residuals give a symmetric interval.
"""

ONE_TAIL, BOTH_TAILS = 40, 20
"""One row in so many lies beyond one end of the interval; beyond either."""
FEWEST_ROWS, FEWEST_SIGNED = BOTH_TAILS - 1, ONE_TAIL - 1


def is_symmetric(rows: int) -> bool:
    """True if the interval of so many held-out rows comes from the sizes of their residuals."""
    return rows < FEWEST_SIGNED


def places(rows: int) -> list[int]:
    """Return the places of both ends among the residuals, or of one among their sizes, from 0.

    rows: their number, at least FEWEST_ROWS.
    """
    assert rows >= FEWEST_ROWS
    if is_symmetric(rows):
        return [rows - (rows + 1) // BOTH_TAILS]
    beyond = (rows + 1) // ONE_TAIL
    return [beyond - 1, rows - beyond]
