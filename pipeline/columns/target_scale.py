"""The scale on which a target is fitted, and the way back to its own unit.

The tables in data/ have each target in its own unit. Whatever is fitted, summed up or measured is
on the fitted scale; whatever a person or an app reads as an answer is in the own unit. The graph of
the ONNX file goes back in onnx_model/outputs.py.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import elementary

OtherScale = Literal["log"]
"""log: the natural logarithm. A target of no scale is fitted as it is."""
Scales = Mapping[str, OtherScale]
"""The scales of the targets that are not fitted as they are."""
Floats = NDArray[np.float64]


def fitted(values: Floats) -> Floats:
    """Return numbers in the own unit of a target on its fitted scale, log: [rows]."""
    logs = elementary.log(values)
    assert np.isfinite(logs).all(), "generate refuses what has no logarithm"
    return logs


def own_unit(values: Floats, targets: Sequence[str], scales: Scales) -> Floats:
    """Return numbers on the fitted scale in the targets' own units. values: [rows, targets].

    Of the mean of logarithms it is a median: half of the rows that are alike lie above it.
    """
    if not scales:
        return values
    own = values.copy()
    for place, name in enumerate(targets):
        if name in scales:
            own[:, place] = elementary.exp(values[:, place])
    return own


def fitted_names(targets: Sequence[str], scales: Scales) -> tuple[str, ...]:
    """Return what each target is called on its fitted scale: log(price)."""
    return tuple(f"{scales[name]}({name})" if name in scales else name for name in targets)
