"""Compare the exact minima of Huber and quantile losses with statsmodels' RLM and QuantReg.

Printed for huber: the digits on which the worst coefficient agrees with RLM, and the looks at the
rows. For quantiles: by how much the loss of QuantReg is above ours, as a share of it. The last
lines are times on 100,000 rows of 10 columns, ours over QuantReg's, in one run.
"""

import sys
import time
import warnings
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from rounds import ROOT

sys.path.insert(0, str(ROOT))

from pipeline.exact import cores, huber, quantile
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import Fit, fit

Floats = NDArray[np.float64]

TABLES = ("stackloss", "engel", "ccard", "scotland", "fair")
BLOCK = 20_000
TIGHT = {"max_iter": 20_000, "p_tol": 1e-12}
"""Limits of QuantReg for the losses; it is timed with its own."""


class Rows:
    """Rows in blocks, and how often they were read."""

    def __init__(self, table: Floats) -> None:
        self.table, self.looks = table, 0

    def __call__(self) -> Iterator[huber.Rows]:
        """Read the rows once more."""
        self.looks += 1
        for begin in range(0, len(self.table), BLOCK):
            yield self.table[begin : begin + BLOCK], None

    def least_squares(self) -> Fit:
        """Return where the search begins."""
        names = [f"x{place}" for place in range(self.table.shape[1] - 1)]
        return fit(gram_matrix(self.table), names, ["y"])


def table_of(name: str) -> Floats:
    """Return the numbers of a table of statsmodels; the last column is the target."""
    data = getattr(sm.datasets, name).load_pandas()
    x = data.exog.select_dtypes("number").to_numpy(np.float64)
    return np.column_stack([x, data.endog.to_numpy(np.float64)])


def of_huber(table: Floats) -> str:
    """Return the digits beside RLM, and the looks at the rows."""
    rows, y = Rows(table), table[:, -1]
    start = rows.least_squares()
    line = np.append(start.weight[0], start.bias[0])
    threshold = 1.345 * float(np.median(np.abs(huber.residuals_of(table, line)))) / 0.67448975019608
    with cores.one_blas_thread():
        found = huber.minimum(rows, start.features, "y", True, threshold, start)
    model = sm.RLM(y, design(table), M=sm.robust.norms.HuberT(1.345))
    theirs = model.fit(update_scale=False, maxiter=20_000, tol=1e-15, conv="coefs").params
    ours = np.append(found.bias, found.weight)
    worst = np.max(np.abs(ours - theirs) / np.abs(theirs))
    return f"{-np.log10(max(worst, 1e-16)):>14.1f}{rows.looks:>8}"


def design(table: Floats) -> Floats:
    """Return the ones and the features."""
    return np.column_stack([np.ones(len(table)), table[:, :-1]])


def loss(errors: Floats, share: Fraction) -> Fraction:
    """Return the quantile loss of errors."""
    costs = (Fraction(e) * (share if e > 0 else share - 1) for e in errors.tolist())
    return sum(costs, Fraction(0))


def of_quantile(table: Floats, share: Fraction, **limits: float) -> tuple[float, float]:
    """Return by how much QuantReg's loss is above ours, and our time over its time."""
    rows, y = Rows(table), table[:, -1]
    begin = time.perf_counter()
    with cores.one_blas_thread():
        found = quantile.minimum(rows, share, rows.least_squares())
    between = time.perf_counter()
    theirs = sm.QuantReg(y, design(table)).fit(q=float(share), **limits)
    end = time.perf_counter()
    ours = loss(y - design(table) @ np.append(found.bias, found.weight), share)
    above = float(loss(y - design(table) @ theirs.params, share) / ours - 1)
    return above, (between - begin) / (end - between)


def main() -> None:
    """Print the tables and the times."""
    shares = Fraction(1, 2), Fraction(9, 10)
    print(f"{'table':12}{'huber: digits':>14}{'looks':>8}{'absolute':>14}{'quantile:0.9':>14}")
    for name in TABLES:
        table = table_of(name)
        cells = "".join(f"{of_quantile(table, share, **TIGHT)[0]:>14.0e}" for share in shares)
        print(f"{name:12}{of_huber(table)}{cells}")
    random = np.random.default_rng(0)
    x = random.normal(size=(100_000, 10))
    y = x @ random.normal(size=10) + random.standard_t(2, size=len(x))
    for share in shares:
        excess, ratio = of_quantile(np.column_stack([x, y]), share)
        shown = f"{excess:.0e} above ours, ours takes {ratio:.1f} × the time"
        print(f"100,000 rows, share {float(share)}: QuantReg's loss {shown}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
