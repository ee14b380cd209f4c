"""Compare weighted fits with statsmodels' on six tables, and time the weighted Gram matrix.

Precisions beside WLS; frequencies beside OLS on the repeated rows, as there is one right answer.
Printed are the digits on which both agree in the worst coefficient, standard error, R², answer and
end of a 95 % prediction interval. The last lines are times of the Gram matrix of 10^6 rows of 20
columns, with weights over without, in one run.
"""

import sys
import time
import warnings
from collections.abc import Iterator

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from rounds import ROOT
from sklearn.datasets import load_diabetes

sys.path.insert(0, str(ROOT))

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import Fit, fit

Floats = NDArray[np.float64]

ROWS, COLUMNS = 1_000_000, 20


def tables() -> Iterator[tuple[str, Floats, Floats]]:
    """Yield name, x [rows, features] and y [rows]."""
    for name in ("stackloss", "ccard", "engel", "scotland", "fair"):
        data = getattr(sm.datasets, name).load_pandas()
        frame = data.exog.select_dtypes("number")
        yield name, frame.to_numpy(np.float64), data.endog.to_numpy(np.float64)
    yield "diabetes", *load_diabetes(return_X_y=True)


def ours(x: Floats, y: Floats, weights: Floats, *, are_frequencies: bool) -> Fit:
    """Fit with weights."""
    gram = gram_matrix(x, y[:, None], weights=weights)
    if are_frequencies:
        gram = type(gram)(int(gram.weight), gram.exponents, gram.entries)
    return fit(gram, [f"x{place}" for place in range(x.shape[1])], ["y"])


def digits(pairs: list[tuple[Floats, Floats]]) -> list[float]:
    """Return on how many digits the worst numbers of each pair agree, at most 16."""
    worst = [np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-300)) for a, b in pairs]
    return [-np.log10(max(each, 1e-16)) for each in worst]


def compared(fitted: Fit, theirs: sm.regression.linear_model.RegressionResults, x: Floats) -> str:
    """Return the digits of each figure, in the order of the head."""
    ends = theirs.get_prediction(sm.add_constant(x, has_constant="add")).summary_frame()
    answers = fitted.predict(x)
    pairs = [
        (np.append(fitted.bias, fitted.weight), np.asarray(theirs.params)),
        (np.roll(fitted.std_error[0], 1), np.asarray(theirs.bse)),
        (fitted.r2, np.array([theirs.rsquared])),
        (answers[0][:, 0], ends["mean"].to_numpy()),
        (
            np.concatenate([answers[1][:, 0], answers[2][:, 0]]),
            np.concatenate([ends["obs_ci_lower"], ends["obs_ci_upper"]]),
        ),
    ]
    return "".join(f"{each:>14.1f}" for each in digits(pairs))


def values() -> None:
    """Print the digits of each table, with both kinds of weights."""
    head = ("coefficients", "std. errors", "R²", "answers", "intervals")
    print(f"{'table':12}{'weights':12}" + "".join(f"{each:>14}" for each in head))
    for name, x, y in tables():
        random = np.random.default_rng(0)
        queries = x[:: max(1, len(x) // 20)][:20]
        constant = sm.add_constant(x, has_constant="add")
        weights = random.uniform(0.2, 5, len(x))
        wls = sm.WLS(y, constant, weights=weights).fit(method="qr")
        fitted = ours(x, y, weights, are_frequencies=False)
        print(f"{name:12}{'precision':12}{compared(fitted, wls, queries)}")
        times = random.integers(1, 5, len(x))
        ols = sm.OLS(np.repeat(y, times), np.repeat(constant, times, axis=0)).fit(method="qr")
        fitted = ours(x, y, times.astype(np.float64), are_frequencies=True)
        print(f"{name:12}{'frequency':12}{compared(fitted, ols, queries)}")


def speed() -> None:
    """Print the time of the Gram matrix with weights over that without, the least of three."""
    random = np.random.default_rng(0)
    x = np.asfortranarray(random.normal(size=(ROWS, COLUMNS)))
    kinds = {
        "frequencies 1 to 9": random.integers(1, 10, ROWS).astype(np.float64),
        "precisions of 53 bits": random.uniform(0.2, 5, ROWS),
    }
    for kind, table in {"53 bits": x, "two decimals": np.rint(100 * x) / 100}.items():
        plain = least_time(table, None)
        for name, weights in kinds.items():
            print(f"columns of {kind}, {name}: {least_time(table, weights) / plain:.1f} × the time")


def least_time(table: Floats, weights: Floats | None) -> float:
    """Return the least of three times, in seconds."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        gram_matrix(table, weights=weights)
        taken.append(time.perf_counter() - start)
    return min(taken)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    values()
    speed()
