"""Values of the column of data.weights that are no weights."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.keys.weight_settings import Weights

Mask = NDArray[np.bool_]

MOST_ROWS = 2**53
"""The largest total of frequencies: counts of rows must be exact in float64."""

CURES = {
    "missing": "each row needs a weight: write 0 for a row that is not to count, or remove it",
    "negative": "a weight says how much a row counts: write 0 for a row that is not to count",
    "no whole number": "with kind: frequency a row stands for so many equal rows: write whole"
    " numbers, or `weights: {}` for weights that are inverse variances",
    "above 2^53": "with kind: frequency a row stands for so many equal rows, at most 2^53 in all:"
    " if they are no counts, write `weights: {{by: {}, kind: precision}}`",
}
"""Kinds of faults, as a message says them after "is", and what to do about each."""


def of(settings: Weights, weights: NDArray[np.float64], gaps: Mask | None) -> Mapping[str, Mask]:
    """Return the faults by their kind: True for each: [rows].

    weights: [rows], NaN for a gap or a text. gaps: True for each gap.
    """
    masks: dict[str, Mask] = {} if gaps is None else {"missing": gaps}
    with np.errstate(invalid="ignore"):
        masks["negative"] = weights < 0
        if settings.kind == "frequency":
            masks["above 2^53"] = weights > MOST_ROWS
            finite = np.isfinite(weights)
            masks["no whole number"] = finite & (weights > 0) & (weights != np.trunc(weights))
    return {kind: mask for kind, mask in masks.items() if mask.any()}


def cure(kind: str, settings: Weights) -> str:
    """Return what to do about a kind of fault."""
    return f"it holds the weights of the rows (data.weights); {CURES[kind].format(settings.by)}"
