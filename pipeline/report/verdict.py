"""Verdict on a model: what its metrics say, in words."""

from collections.abc import Mapping
from typing import Any

from pipeline.settings.keys.target_settings import OWN_UNIT
from pipeline.settings.keys.train_settings import loss_kind

NOT_JUDGED_BY_R2 = ("absolute", "quantile")
"""Losses that do not ask for a mean: R² says nothing of how well their answers are made."""

_ROWS = {
    "test": "rows held out",
    "cv": "rows left out in turn (folds)",
    "train": "training rows",
}
"""The rows that may judge, those that say most about new ones first, as in the report."""


def worse_than_the_mean(metrics: Mapping[str, Any], loss: str | None = None) -> str | None:
    """Return a sentence if the mean of the target predicts better than the model, else None.

    metrics: the content of metrics.json. loss: train.loss; None of older results. The first R² that
    is known decides: in the targets' own units where it was measured in them, as in the report.
    """
    if loss_kind(loss or "squared").name in NOT_JUDGED_BY_R2:
        return None
    for part, rows in _ROWS.items():
        if (r2 := _r2(metrics.get(part) or {})) is not None:
            worse = f"on the {rows} the model is worse than answering each row with the mean of"
            return f"{worse} the target (R² {r2:.3g})" if r2 < 0 else None
    return None


def _r2(part: Mapping[str, Any]) -> float | None:
    r2 = part.get(f"{OWN_UNIT}r2", part.get("r2"))
    if isinstance(r2, Mapping):  # of the folds: their mean and their spread
        r2 = r2["mean"]
    return None if r2 is None else float(r2)


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
