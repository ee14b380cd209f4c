"""Time exact least squares beside libraries that round, on this machine: part of `make bench`.

All fit the same float32 array, row-major as scikit-learn is mostly given it, in turn within each
round; the result is the ratio within a round. Ours comes with standard errors, t, p, intervals and
rank, statsmodels' with standard errors, the others with coefficients alone. Beside the time is the
error of the worst coefficient, relative to the exact solution, which ours is. A second table has
times beside other processes that keep every core busy: twice the time is a fair share.
"""

import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from rounds import ROOT, arguments, summary

sys.path.insert(0, str(ROOT))

from pipeline.exact import cores
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit

Floats = NDArray[np.float32]
Solver = Callable[[Floats, Floats], NDArray[np.float64]]
"""Function from x [rows, features] and y [rows] to the coefficients, the bias last."""


def ours(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Solve by exact least squares, with all figures that it gives."""
    reference = fit(gram_matrix(x, y[:, None]), [f"x{i}" for i in range(x.shape[1])], ["y"])
    for figures in (reference.std_error, reference.t, reference.p):
        assert np.isfinite(figures).all()
    assert (reference.ci_low <= reference.ci_high).all()
    assert reference.r2[0] <= 1 <= reference.condition_number
    return np.append(reference.weight[0], reference.bias[0])


def scikit_learn(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Solve by scikit-learn's LinearRegression."""
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(x, y)
    return np.append(fitted.coef_, fitted.intercept_).astype(float)


def statsmodels(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Solve by statsmodels' OLS, with its standard errors."""
    from statsmodels.api import OLS, add_constant

    fitted = OLS(y, add_constant(x)).fit()
    assert len(fitted.bse) == x.shape[1] + 1
    return np.roll(np.asarray(fitted.params, float), -1)


def ridge(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Solve by scikit-learn's Ridge from normal equations in float32, almost without a penalty."""
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=1e-6, solver="cholesky").fit(x, y)
    return np.append(fitted.coef_, fitted.intercept_).astype(float)


def glum(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Solve by glum's closed form."""
    from glum import GeneralizedLinearRegressor

    fitted = GeneralizedLinearRegressor(family="normal", alpha=0).fit(x, y)
    return np.append(fitted.coef_, fitted.intercept_).astype(float)


def numpy_normal_equations(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Solve the normal equations by NumPy, in float64."""
    design = np.column_stack([x, np.ones(len(x), np.float32)]).astype(np.float64)
    solution: NDArray[np.float64] = np.linalg.solve(design.T @ design, design.T @ y.astype(float))
    return solution


SOLVERS: dict[str, Solver] = {
    "exact, with standard errors": ours,
    "scikit-learn LinearRegression": scikit_learn,
    "statsmodels OLS, with standard errors": statsmodels,
    "scikit-learn Ridge(solver='cholesky')": ridge,
    "NumPy, normal equations": numpy_normal_equations,
}
if importlib.util.find_spec("glum"):
    SOLVERS["glum"] = glum


@contextmanager
def busy() -> Iterator[None]:
    """Keep as many other processes busy as there are cores."""
    command = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(command) for _ in range(cores.available())]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def seconds_of(solve: Solver, x: Floats, y: Floats) -> float:
    """Return the seconds of one solution."""
    begin = time.perf_counter()
    solve(x, y)
    return time.perf_counter() - begin


def print_limits(x: Floats) -> None:
    """Print how long this machine needs to read the table once, and to multiply it in float64."""
    seconds = []
    block = np.ascontiguousarray(x[:4_096].T, dtype=np.float64)
    with cores.one_blas_thread():
        for work in (lambda: x.sum(), lambda: [block @ block.T for _ in range(len(x) // 4_096)]):
            begin = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - begin)
    read, multiplied = seconds
    print(
        f"\nOne thread reads the table in {read:.2f} s ({x.nbytes / read / 1e9:.1f} GB/s), and"
        f" multiplies one slice of each column in {multiplied:.2f} s."
    )


def main() -> None:
    """Time each solver in each round, and print a table in Markdown."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the table (2,000,000)")
    parser.add_argument("--features", type=int, default=32, help="of the table (32)")
    asked = parser.parse_args()
    random = np.random.default_rng(0)
    x = random.standard_normal((asked.rows, asked.features), dtype=np.float32)
    # Columns that lie away from zero, as measured ones do.
    x += random.uniform(-100, 100, asked.features).astype(np.float32)
    y = (x @ random.standard_normal(asked.features, dtype=np.float32)).astype(np.float32)
    y += random.standard_normal(asked.rows, dtype=np.float32)
    for solve in SOLVERS.values():
        solve(x[:1000], y[:1000])  # imports
    seconds: dict[str, list[float]] = {name: [] for name in SOLVERS}
    errors: dict[str, float] = {}
    for _ in range(asked.rounds):
        for name, solve in SOLVERS.items():
            begin = time.perf_counter()
            solution = solve(x, y)
            seconds[name].append(time.perf_counter() - begin)
            if solve is ours:
                exact = solution
            errors[name] = float(np.max(np.abs(solution / exact - 1)))
    rows = f"{asked.rows:,} × {asked.features} float32"
    print(f"| {rows} | seconds | times ours | range | worst coefficient off by |")
    print("|---|---|---|---|---|")
    for name, times in seconds.items():
        ratios = [t / o for t, o in zip(times, seconds[next(iter(SOLVERS))], strict=True)]
        shown = summary(ratios, lambda ratio: f"{ratio:.1f}")
        print(f"| {name} | {statistics.median(times):.2f} | {shown} | {errors[name]:.1e} |")
    print_limits(x)
    print("\n| beside a busy process for each core | quiet, s | busy, s | busy / quiet | range |")
    print("|---|---|---|---|---|")
    for name, solve in SOLVERS.items():
        quiet, beside = [], []
        for _ in range(asked.rounds):
            quiet.append(seconds_of(solve, x, y))
            with busy():
                beside.append(seconds_of(solve, x, y))
        ratios = [b / q for b, q in zip(beside, quiet, strict=True)]
        shown = summary(ratios, lambda ratio: f"{ratio:.1f}")
        medians = f"{statistics.median(quiet):.2f} | {statistics.median(beside):.2f}"
        print(f"| {name} | {medians} | {shown} |")


if __name__ == "__main__":
    main()
