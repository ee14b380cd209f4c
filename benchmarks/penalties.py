"""Time cross-validated penalties beside scikit-learn's on this machine.

The same standardized float64 array for all, in turn within each round; the result is the ratio
within a round. Five folds, 100 penalties, the same folds. Ours begins with the Gram matrices of the
folds, which `generate` keeps in data/summary.json; making them from the rows is timed apart. The
time of `RidgeCV(cv=5)` is extrapolated from a few penalties, as its fits are independent. Then the
digits to which the coefficients agree, on tables that ship with scikit-learn and statsmodels.
"""

import itertools
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from rounds import ROOT, arguments, summary

sys.path.insert(0, str(ROOT))

from pipeline.exact.cross_validation import Scores, cross_validate
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalties import Penalty, fit
from pipeline.exact.penalty_path import paths

Floats = NDArray[np.float64]

FOLDS, PENALTIES, TIMED_PENALTIES = 5, 100, 3
SHARES = np.logspace(-3.5, -0.05, 10)
"""Of the largest l1: the ten penalties of the comparison of coefficients; ten times it is l2."""


def table(rows: int, columns: int) -> tuple[Floats, Floats]:
    """Return standardized x [rows, columns], correlated, and y [rows]; a third has no influence."""
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, columns))
    x += random.standard_normal((rows, 1)) * 0.7
    x -= x.mean(axis=0)
    x /= x.std(axis=0)
    slopes = random.standard_normal(columns) * (np.arange(columns) % 3 > 0)
    return x, x @ slopes + 3 * random.standard_normal(rows)


def folds_of(rows: int) -> list[slice]:
    """Return the rows of each fold, as scikit-learn's KFold has them."""
    ends = np.linspace(0, rows, FOLDS + 1).astype(int).tolist()
    return [slice(begin, end) for begin, end in itertools.pairwise(ends)]


def seconds_of(function: Callable[[], object]) -> float:
    """Return the seconds that a function takes."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def ours(folds: list[Gram], l1: float | str, l2: float | str) -> Scores:
    """Cross-validate the path of l1 or of l2, whichever is "cv"."""
    total = sum(folds[1:], folds[0])
    names = [f"x{j}" for j in range(len(total.exponents) - 2)]
    path = paths(total, names, ["y"], True, l1, l2)  # type: ignore[arg-type]
    (scores,) = cross_validate(folds, names, ["y"], True, path)
    assert len(scores.mean) == PENALTIES
    return scores


def scikit_learn_ridge(x: Floats, y: Floats) -> None:
    """Cross-validate TIMED_PENALTIES of ridge."""
    from sklearn.linear_model import RidgeCV

    RidgeCV(alphas=len(x) * np.logspace(-6, 3, TIMED_PENALTIES), cv=FOLDS).fit(x, y)


def scikit_learn_lasso(x: Floats, y: Floats) -> None:
    """Cross-validate a path of the lasso of the same length."""
    from sklearn.linear_model import LassoCV

    LassoCV(alphas=PENALTIES, eps=1e-4, cv=FOLDS).fit(x, y)


def print_times(rows: int, columns: int, rounds: int) -> dict[str, float]:
    """Print the times of both; return how many times as fast ours is, for ridge and lasso."""
    x, y = table(rows, columns)
    for warm_up in (scikit_learn_ridge, scikit_learn_lasso):
        warm_up(x[:1000], y[:1000])
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        folds: list[Gram] = []

        def sums(into: list[Gram] = folds) -> None:
            into += [gram_matrix(x[part], y[part, None]) for part in folds_of(rows)]

        for name, work in (
            ("sums", sums),
            ("ridge", lambda into=folds: ours(into, 0.0, "cv")),
            ("lasso", lambda into=folds: ours(into, "cv", 0.0)),
            ("RidgeCV", lambda: scikit_learn_ridge(x, y)),
            ("LassoCV", lambda: scikit_learn_lasso(x, y)),
        ):
            # In fits: one for each fold and penalty, and one of all rows.
            fits, timed = (FOLDS * count + 1 for count in (PENALTIES, TIMED_PENALTIES))
            factor = fits / timed if name == "RidgeCV" else 1
            seconds.setdefault(name, []).append(seconds_of(work) * factor)
    print(
        f"{rows:,} × {columns}, {FOLDS} folds, {PENALTIES} penalties; ratios of {rounds} rounds\n"
    )
    print("| work | scikit-learn, s | ours from the sums, s | times as fast | range |")
    print("|---|---|---|---|---|")
    times_as_fast = {}
    for name, peer in (("ridge", "RidgeCV"), ("lasso", "LassoCV")):
        pairs = list(zip(seconds[peer], seconds[name], strict=True))
        theirs, mine = np.median(pairs, axis=0)
        ratios = [a / b for a, b in pairs]
        times_as_fast[name] = float(np.median(ratios))
        print(f"| {name} | {theirs:.1f} | {mine:.2f} | {summary(ratios, lambda r: f'{r:.0f}')} |")
    print(f"\nThe sums of the folds, from the array: {np.median(seconds['sums']):.2f} s\n")
    return times_as_fast


def small_tables() -> Iterator[tuple[str, Floats, Floats]]:
    """Yield the name, the features and the target of eight tables."""
    from sklearn import datasets
    from statsmodels import datasets as more

    for name in ("diabetes", "breast_cancer", "wine", "iris"):
        shipped = getattr(datasets, f"load_{name}")()
        yield name, shipped.data.astype(float), shipped.target.astype(float)
    linnerud = datasets.load_linnerud()
    yield "linnerud", linnerud.data.astype(float), linnerud.target[:, 0].astype(float)
    for name in ("longley", "stackloss", "fair"):
        shipped = getattr(more, name).load()
        yield name, np.asarray(shipped.exog, float), np.asarray(shipped.endog, float)


def digits(weights: Floats, others: Floats) -> float:
    """Return the digits to which the worst weight agrees, relative to the largest."""
    distance = np.abs(weights - others).max() / max(np.abs(weights).max(), np.finfo(float).tiny)
    return -math.log10(distance) if distance else 17.0


def print_digits() -> dict[str, float]:
    """Print the digits of agreement with scikit-learn, and how many solutions are proven.

    Return the worst of all tables, for ridge and lasso.
    """
    from sklearn.linear_model import Lasso, Ridge

    print("| table | rows × columns | ridge, digits | lasso, digits | proven |")
    print("|---|---|---|---|---|")
    of_all: list[list[float]] = []
    for name, x, y in small_tables():
        x = x[:, np.ptp(x, axis=0) > 0]
        gram, names = gram_matrix(x, y[:, None]), [f"x{j}" for j in range(x.shape[1])]
        deviations = x.std(axis=0)
        z = (x - x.mean(axis=0)) / deviations
        largest = np.abs(z.T @ (y - y.mean())).max() / len(y)
        worst, proven = [17.0, 17.0], 0
        for share in SHARES:
            for place, (penalty, model) in enumerate(
                (
                    (Penalty(l2=10 * share), Ridge(len(y) * 10 * share, tol=1e-12)),
                    (
                        Penalty(l1=largest * share),
                        Lasso(largest * share, tol=1e-12, max_iter=10**6),
                    ),
                )
            ):
                exact = fit(gram, names, ["y"], True, [penalty])
                proven += exact.certificates[0].proven
                agreed = digits(exact.weight[0] * deviations, model.fit(z, y).coef_)
                worst[place] = min(worst[place], agreed)
        of_all.append(worst)
        size = f"{len(x):,} × {x.shape[1]}"
        print(f"| {name} | {size} | {worst[0]:.1f} | {worst[1]:.1f} | {proven} of 20 |")
    return dict(zip(("ridge", "lasso"), map(min, zip(*of_all, strict=True)), strict=True))


def main() -> None:
    """Run the benchmark."""
    parser = arguments(__doc__ or "", rounds=3)
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the table (2,000,000)")
    parser.add_argument("--columns", type=int, default=32, help="columns of the table (32)")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of scikit-learn, that tol is not reached
    print_digits()
    print()
    print_times(chosen.rows, chosen.columns, chosen.rounds)


if __name__ == "__main__":
    main()
