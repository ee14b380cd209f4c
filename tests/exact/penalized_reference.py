"""Tables for penalized fits, and their solutions by scikit-learn on standardized columns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, Lasso, Ridge

from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalties import Penalty

Floats = NDArray[np.float64]


def table(rows: int, columns: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return x [rows, columns], correlated and of different sizes, and y [rows]."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns)) + random.normal(size=(rows, 1)) / 2
    slopes = random.normal(size=columns) * (np.arange(columns) % 3 > 0)
    y = x @ slopes + random.normal(size=rows) + 3
    return x * np.logspace(-3, 3, columns) + 1, y


def gram_of(x: Floats, y: Floats) -> Gram:
    """Return the Gram matrix of [1 x y]."""
    return gram_matrix(x, y if y.ndim == 2 else y[:, None]).canonical()


def names(x: Floats) -> list[str]:
    """Return a name for each column."""
    return [f"x{j}" for j in range(x.shape[1])]


def scikit_learn(x: Floats, y: Floats, penalty: Penalty, intercept: bool = True) -> Floats:
    """Return the standardized weights by scikit-learn."""
    deviations = x.std(axis=0)
    z = (x - x.mean(axis=0)) / deviations if intercept else x / deviations
    l1, l2 = penalty.l1, penalty.l2
    options: dict[str, Any] = {"fit_intercept": intercept, "tol": 1e-14, "max_iter": 10**6}
    if not l1:
        model = Ridge(alpha=len(x) * l2, **options)
    elif not l2:
        model = Lasso(alpha=l1, **options)
    else:
        model = ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), **options)
    weights: Floats = model.fit(z, y).coef_
    return weights
