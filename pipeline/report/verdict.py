"""Verdict on a model: what its metrics say, in words."""

from collections.abc import Mapping
from typing import Any


def worse_than_the_mean(train_r2: float | None, test_r2: float | None) -> str | None:
    """Return a sentence if the mean of the target predicts better than the model, else None.

    R² of the rows held out decides, or R² of the training rows if the first is not known.
    """
    for r2, rows in ((test_r2, "rows held out"), (train_r2, "training rows")):
        if r2 is not None:
            worse = f"on the {rows} the model is worse than answering each row with the mean of"
            return f"{worse} the target (R² {r2:.3g})" if r2 < 0 else None
    return None


def mae_of_some_rows(metrics: Mapping[str, Any]) -> str | None:
    """Return a sentence if a mean absolute error is not of all rows; None if each is.

    metrics: the content of metrics.json.
    """
    names = {"train": "training rows", "test": "rows held out"}
    rows = [
        f"{metrics[part]['mae_rows']:,} {name}"
        for part, name in names.items()
        if "mae_rows" in metrics.get(part, {})
    ]
    if not rows:
        return None
    return (
        f"the mean absolute error is of {' and '.join(rows)}, which the seed chose"
        " (`data.keep_rows: false`); the other figures are of all rows"
    )
