"""Compare diagnostics of weighted rows with statsmodels' on six tables, and time their pass.

    python benchmarks/weighted_diagnostics.py           # digits, then 500,000 rows of 20 columns
    python benchmarks/weighted_diagnostics.py --rows 0  # digits alone

Precisions beside WLS, and influence, which statsmodels has not of WLS, beside OLS of rows times the
roots of their weights. Frequencies beside OLS of the repeated rows. Printed are the digits of the
worst figure.
"""

import argparse
import sys
import time
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from rounds import ROOT
from weighted_values import Floats, digits, tables

sys.path.insert(0, str(ROOT / "tests"))

from diagnosed import Diagnosis, diagnosis
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.stattools import durbin_watson, jarque_bera

from pipeline.exact import cores, misfit, robust_errors
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.exact.row_pass import RowPass
from pipeline.exact.row_sums import Diagnosed, Weighting
from pipeline.measures.influence import studentized
from pipeline.measures.model_errors import ROWS_AT_A_TIME

HEAD = (*("HC1", "HC3", "clustered", "leverage", "Cook", "studentized", "BP", "JB", "DW", "RESET"),)
COLUMNS = 20


def ours(made: Diagnosis) -> list[Floats]:
    """Return our figures, in the order of the head."""
    diagnosed, sums, most = made.diagnosed, made.sums, made.sums.targets[0].influential
    (target,) = sums.targets
    pagan, shape = misfit.breusch_pagan(diagnosed, target), misfit.jarque_bera(diagnosed, target)
    reset = misfit.reset(diagnosed, target, 0)
    assert pagan is not None
    assert shape is not None
    assert reset is not None
    given = diagnosed.squares[0], diagnosed.degrees_of_freedom - 1
    pairs = zip(most.residual.tolist(), most.leverage.tolist(), strict=True)
    return [
        robust_errors.hc1(made.fit, diagnosed, sums)[0],
        robust_errors.hc3(made.fit, diagnosed, sums)[0],
        robust_errors.clustered(made.fit, diagnosed, made.clusters)[0],
        *(most.leverage, most.cooks),
        np.array([studentized(*pair, *given) for pair in pairs], float),
        np.array([pagan.statistic, pagan.p]),
        np.array([shape.test.statistic, shape.test.p, shape.skewness, shape.kurtosis]),
        np.array([misfit.durbin_watson(diagnosed, target, 0)], float),
        np.array([reset.statistic, reset.p]),
    ]


def theirs(whole: Any, plain: Any, groups: NDArray[Any], places: NDArray[Any]) -> list[Floats]:
    """Return the same by statsmodels.

    whole: the fit; plain: the same by OLS, whose influence is right. places: of the rows.
    """
    influence = plain.get_influence()
    left = plain.ssr - plain.resid**2 / (1 - influence.hat_matrix_diag)
    sigma = np.sqrt(left / (plain.df_resid - 1))
    design, values, fitted = whole.model.exog, whole.model.endog, whole.fittedvalues
    # Of the fitted values as they are the powers would lose most digits.
    centred = fitted - np.average(values, weights=whole.model.weights)
    powers = np.column_stack([centred**2, centred**3]) / np.abs(centred).max() ** [2, 3]
    more = sm.WLS(values, np.hstack([design, powers]), weights=whole.model.weights)
    reset = more.fit(method="qr").compare_f_test(whole)
    return [
        *(whole.get_robustcov_results(kind).bse for kind in ("HC1", "HC3")),
        whole.get_robustcov_results("cluster", groups=groups).bse,
        influence.hat_matrix_diag[places],
        influence.cooks_distance[0][places],
        influence.get_resid_studentized_external(sigma)[places],
        np.array(het_breuschpagan(whole.wresid, design)[:2]),
        np.array(jarque_bera(whole.wresid)),
        np.array([durbin_watson(whole.wresid)]),
        np.array(reset[:2]),
    ]


def print_digits() -> None:
    """Print the digits of each table, with both kinds of weights."""
    print(f"{'table':12}{'weights':11}" + "".join(f"{each:>12}" for each in HEAD))
    for name, x, y in tables():
        random, rows = np.random.default_rng(0), len(x)
        x = x[:, x.std(axis=0) > 0]
        design, groups = np.column_stack([x, np.ones(rows)]), np.arange(rows) // 3
        precisions, times = random.uniform(0.2, 5, rows), random.integers(1, 5, rows)
        root = np.sqrt(precisions)
        whole = sm.WLS(y, design, weights=precisions).fit(method="qr")
        plain = sm.OLS(y * root, design * root[:, None]).fit(method="qr")
        again, firsts = np.repeat(np.arange(rows), times), np.cumsum(times) - times
        repeated = sm.WLS(y[again], design[again]).fit(method="qr")
        repeated_plain = sm.OLS(y[again], design[again]).fit(method="qr")
        cases: list[tuple[Weighting, Floats, Any, Any, NDArray[Any], NDArray[Any]]] = [
            ("precision", precisions, whole, plain, groups, np.arange(rows)),
            ("frequency", times.astype(float), repeated, repeated_plain, groups[again], firsts),
        ]
        for kind, weights, full, own, clusters, first in cases:
            made = diagnosis(x, y, True, groups, weights=weights, weighting=kind)
            found, places = ours(made), made.sums.targets[0].influential.places
            right = theirs(full, own, clusters, first[places])
            shown = digits([*zip(found, right, strict=True)])
            print(f"{name:12}{kind:11}" + "".join(f"{each:12.1f}" for each in shown), flush=True)


def print_times(rows: int) -> None:
    """Print the processor's time of the pass with weights over that without, in one run."""
    random = np.random.default_rng(0)
    x = np.asfortranarray(random.normal(size=(rows, COLUMNS)))
    y = x @ random.normal(size=COLUMNS) + random.normal(size=rows)
    taken: list[float] = []
    cases: dict[str, tuple[Weighting | None, Floats | None]] = {
        "no weights": (None, None),
        "precisions": ("precision", random.uniform(0.2, 5, rows)),
        "frequencies 1 to 9": ("frequency", random.integers(1, 10, rows).astype(np.float64)),
    }
    print(f"{rows:,} x {COLUMNS}: the pass over the rows of a fit on one thread, seconds")
    for name, (kind, weights) in cases.items():
        gram = gram_matrix(x, y[:, None], weights=weights)
        if kind == "frequency":
            gram = replace(gram, rows=int(gram.weight))
        fitted = fit(gram, [f"x{place}" for place in range(COLUMNS)], ["y"])
        one = RowPass(Diagnosed.of(fitted, kind))
        start = time.process_time()
        with cores.one_blas_thread():
            for first in range(0, rows, ROWS_AT_A_TIME):
                block = slice(first, first + ROWS_AT_A_TIME)
                own = None if weights is None else weights[block]
                one.add(x[block], y[block, None], first, weights=own)
            one.taken()
        taken.append(time.process_time() - start)
        print(f"{name:20}{taken[-1]:6.2f}{taken[-1] / taken[0]:6.1f} × the time", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    asked = parser.parse_args()
    print_digits()
    if asked.rows:
        print_times(asked.rows)
