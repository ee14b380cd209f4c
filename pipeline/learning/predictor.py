"""The predictor of a trained model, with or without torch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.line import Line
from pipeline.settings.params import Model

Floats = NDArray[np.float64]


def predictor(
    line: Line | None, path: Path, settings: Model, features: int, targets: int
) -> Callable[[Floats], Floats]:
    """Return the function from x [rows, features] to predictions [rows, targets].

    line: the model, if it is linear; else its module is loaded from `path`, which needs torch.
    """
    if line is not None:
        return line.predict
    # Importing torch takes longer than everything else that `evaluate` does for a linear model.
    from pipeline.learning import prediction, weights

    module = weights.load(path, settings, features, targets)
    return lambda x: prediction.predict(module, x)
