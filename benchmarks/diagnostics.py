"""Diagnostics beside statsmodels': digits of six tables, and the time of a large one.

    python benchmarks/diagnostics.py           # digits, then 1,000,000 rows of 20 columns
    python benchmarks/diagnostics.py --rows 0  # digits alone

A digit of agreement is −log₁₀ of the largest relative difference; 15 is all that float64 has. Where
statsmodels itself loses digits, `right` has ours beside the same figures in 600 bits.
"""

import argparse
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from rounds import ROOT
from statsmodels.stats.diagnostic import het_breuschpagan, linear_reset
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.stattools import durbin_watson, jarque_bera

sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from diagnosed import in_bits

from pipeline.exact import cores, misfit, robust_errors
from pipeline.exact.cluster_sums import ClusterSums
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.inflation import inflation_factors
from pipeline.exact.least_squares import Fit, fit
from pipeline.exact.row_pass import RowPass
from pipeline.exact.row_sums import Diagnosed, RowSums
from pipeline.measures.influence import studentized
from pipeline.measures.model_errors import ROWS_AT_A_TIME

Floats = NDArray[np.float64]
Figures = dict[str, Floats]
FEWEST_DIGITS = 1e-15
MOST_ROWS_IN_BITS = 500
BLOCKS_IN_TASK = 4
FEW = 500


@dataclass(frozen=True)
class Table:
    """A table with a constant as the last column of its design. groups: cluster of each row."""

    name: str
    x: Floats
    y: Floats
    groups: NDArray[np.int64]

    @property
    def design(self) -> Floats:
        """The features and the constant."""
        return np.column_stack([self.x, np.ones(len(self.x))])


def tables() -> Iterator[Table]:
    """Yield six tables that ship with statsmodels and scikit-learn."""
    from sklearn.datasets import load_diabetes

    data = sm.datasets
    for name in ("longley", "stackloss", "fair", "star98", "copper"):
        loaded = getattr(data, name).load_pandas()
        x, y = loaded.exog.to_numpy(float), np.asarray(loaded.endog, float)
        y = y[:, 0] if y.ndim == 2 else y
        x = x[:, x.std(axis=0) > 0]
        yield Table(name, x, y, np.arange(len(y)) * max(2, len(y) // 8) // len(y))
    x, y = load_diabetes(return_X_y=True)
    yield Table("diabetes", x, y, np.arange(len(y)) // 10)


@dataclass(frozen=True)
class Ours:
    """A fit with the sums over its rows."""

    fit: Fit
    diagnosed: Diagnosed
    sums: RowSums
    clusters: tuple[ClusterSums, ...]


def passed(table: Table) -> Ours:
    """Return a fit and the pass over its rows, on threads, as `evaluate` makes it."""
    x, y, rows = table.x, table.y[:, None], len(table.x)
    fitted = fit(gram_matrix(x, y), [f"x{i}" for i in range(x.shape[1])], ["y"])
    diagnosed = Diagnosed.of(fitted)
    clusters = (ClusterSums(int(table.groups.max()) + 1, diagnosed.coordinates),)

    def task(begin: int) -> RowSums:
        one = RowPass(diagnosed, clusters)
        for start in range(begin, min(rows, begin + size * BLOCKS_IN_TASK), size):
            block = slice(start, start + size)
            one.add(x[block], y[block], start, table.groups[block])
        return one.taken()

    size = ROWS_AT_A_TIME
    begins = range(0, rows, size * BLOCKS_IN_TASK)
    with cores.one_blas_thread(), ThreadPoolExecutor(cores.available()) as pool:
        return Ours(fitted, diagnosed, reduce(add, pool.map(task, begins)), clusters)


def ours(table: Table) -> Figures:
    """Return all diagnostics that `evaluate` makes."""
    made = passed(table)
    found = made.fit, made.diagnosed, made.sums
    (sums,), diagnosed = made.sums.targets, made.diagnosed
    pagan, shape = misfit.breusch_pagan(diagnosed, sums), misfit.jarque_bera(diagnosed, sums)
    reset, most = misfit.reset(diagnosed, sums, 0), sums.influential
    assert pagan is not None
    assert shape is not None
    assert reset is not None
    freedom = diagnosed.degrees_of_freedom - 1
    outside = [
        studentized(residual, leverage, diagnosed.squares[0], freedom) or math.nan
        for residual, leverage in zip(most.residual.tolist(), most.leverage.tolist(), strict=True)
    ]
    return {
        "HC1": robust_errors.hc1(*found)[0],
        "HC3": robust_errors.hc3(*found)[0],
        "clustered": robust_errors.clustered(made.fit, diagnosed, made.clusters)[0],
        "VIF": inflation_factors(made.fit),
        "leverage": most.leverage,
        "Cook": most.cooks,
        "studentized": np.array(outside),
        "BP": np.array([pagan.statistic, pagan.p]),
        "DW": np.array([misfit.durbin_watson(diagnosed, sums, 0)], float),
        "JB": np.array([shape.test.statistic, shape.test.p, shape.skewness, shape.kurtosis]),
        "RESET": np.array([reset.statistic, reset.p]),
        "places": most.places,
    }


def statsmodels(table: Table, places: NDArray[Any] | None = None) -> Figures:
    """Return the same by statsmodels. places: of the rows whose influence is asked; None: all."""
    design = table.design
    fitted = sm.OLS(table.y, design).fit()
    influence = fitted.get_influence()
    chosen = slice(None) if places is None else places
    # resid_studentized_external fits once for each row; the same formula needs no further fit.
    left = fitted.ssr - fitted.resid**2 / (1 - influence.hat_matrix_diag)
    sigma = np.sqrt(left / (fitted.df_resid - 1))
    reset = linear_reset(fitted, 3, use_f=True)
    constant = range(table.x.shape[1])
    return {
        "HC1": fitted.get_robustcov_results("HC1").bse,
        "HC3": fitted.get_robustcov_results("HC3").bse,
        "clustered": fitted.get_robustcov_results("cluster", groups=table.groups).bse,
        "VIF": np.array([variance_inflation_factor(design, place) for place in constant]),
        "leverage": influence.hat_matrix_diag[chosen],
        "Cook": influence.cooks_distance[0][chosen],
        "studentized": influence.get_resid_studentized_external(sigma)[chosen],
        "BP": np.array(het_breuschpagan(fitted.resid, design)[:2]),
        "DW": np.array([durbin_watson(fitted.resid)]),
        "JB": np.array(jarque_bera(fitted.resid)),
        "RESET": np.array([float(reset.statistic), float(reset.pvalue)]),
    }


def digits(found: Floats, right: Floats) -> float:
    """Return the digits of agreement of the worst figure."""
    with np.errstate(divide="ignore", invalid="ignore"):
        differences = np.where(found == right, 0.0, np.abs(found - right) / np.abs(right))
    return -math.log10(max(float(differences.max()), FEWEST_DIGITS))


def print_digits() -> None:
    """Print the digits of agreement of each table, figure by figure."""
    names = [*(name for name in ours(next(tables())) if name != "places")]
    print("digits of agreement with statsmodels; right: ours with 600 bits")
    print(" | ".join(["table       ", "rows ", *(f"{name:>11}" for name in names)]))
    for table in tables():
        made = ours(table)
        beside = statsmodels(table, made["places"])
        cells = [f"{digits(made[name], beside[name]):11.1f}" for name in names]
        print(" | ".join([f"{table.name:12}", f"{len(table.y):5}", *cells]))
        if len(table.y) > MOST_ROWS_IN_BITS:
            continue
        bits = in_bits(table.x, table.y, table.groups)
        known = {
            "HC1": bits.hc1,
            "HC3": bits.hc3,
            "clustered": bits.clustered,
            "leverage": bits.leverage[made["places"].astype(int)],
            "Cook": bits.cooks[made["places"].astype(int)],
            "RESET": np.array([bits.reset]),
        }
        cells = [
            f"{digits(made[name][: len(known[name])], known[name]):11.1f}"
            if name in known
            else " " * 11
            for name in names
        ]
        print(" | ".join([f"{'  right':12}", " " * 5, *cells]))


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def print_times(rows: int, columns: int, rounds: int) -> None:
    """Print the times of all diagnostics of a large table, in turn within each round."""
    random = np.random.default_rng(0)
    x = np.asfortranarray(random.normal(size=(rows, columns)))
    y = x @ random.normal(size=columns) + random.normal(size=rows) * (1 + abs(x[:, 0]))
    table = Table("large", x, y, random.integers(0, 1000, rows))
    print(f"\n{rows:,} x {columns}: a fit and all of the figures above, seconds")
    for _ in range(rounds):
        own, parts = timed(lambda: ours(table)), timed(lambda: _without_vif_and_tests(table))
        print(f"ours, all: {own:.2f}")
        print(
            f"its get_influence and cov_type: {parts:.2f}, {parts / own:.1f} times ours", flush=True
        )
        other = timed(lambda: statsmodels(table))
        print(f"its, all: {other:.2f}, {other / own:.1f} times ours", flush=True)
    few = Table("few", x[:FEW], y[:FEW], table.groups[:FEW])
    influence = sm.OLS(few.y, few.design).fit().get_influence()
    refits = timed(lambda: influence.resid_studentized_external)
    print(f"{FEW} rows: its resid_studentized_external fits {FEW} times, {refits:.1f} s")


def _without_vif_and_tests(table: Table) -> None:
    """Compute the errors and the influence by statsmodels, without factors and tests."""
    fitted = sm.OLS(table.y, table.design).fit()
    influence = fitted.get_influence()
    assert len(influence.hat_matrix_diag) == len(influence.cooks_distance[0])
    assert len(influence.resid_studentized_internal)
    for kind in ("HC1", "HC3"):
        assert fitted.get_robustcov_results(kind).bse.all()
    assert fitted.get_robustcov_results("cluster", groups=table.groups).bse.all()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of Longley's table, and of its powers
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    print_digits()
    if asked.rows:
        print_times(asked.rows, asked.columns, asked.rounds)
