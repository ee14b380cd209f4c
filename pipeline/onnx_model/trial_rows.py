"""The rows that an ONNX file is tried on: training rows, queries, random and extreme rows."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.onnx_model.feed import Inputs


def trial_rows(
    training: NDArray[np.float64],
    queries: NDArray[np.float64],
    dtype: torch.dtype,
    random: np.random.Generator,
) -> dict[str, Inputs]:
    """Return the rows to try, by kind: x [rows, features], of float64, not all finite.

    training, queries: [rows, features].
    """
    features = training.shape[1]
    kind = torch.finfo(dtype)
    low, high = training.min(axis=0), training.max(axis=0)
    middle, reach = low / 2 + high / 2, (high / 2 - low / 2) * 10
    reach = np.where(reach > 0, reach, np.maximum(1, np.abs(middle)))
    signs = random.choice([-1.0, 1.0], (8, features))
    kinds = {
        "training rows": training,
        "queries": queries,
        "random rows over ten times the training range": middle
        + reach * random.uniform(-1, 1, (1000, features)),
        "zeros": np.array([[0.0] * features, [-0.0] * features]),
        "denormals": signs * kind.smallest_normal * random.uniform(0, 1, (8, features)),
        "huge values": signs * kind.max * random.uniform(0, 1, (8, features)),
        "one feature at a time": _one_feature(0.0, (1e3,), features, random),
        "NaN and infinity": _one_feature(1.0, (math.nan, math.inf, -math.inf), features, random),
    }
    return {kind_of_row: {"x": rows} for kind_of_row, rows in kinds.items()}


def _one_feature(
    others: float, values: Sequence[float], features: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return rows of `others` with one feature set to a value; in the last rows every feature is.

    Of more than 64 features, `random` chooses 64.
    """
    chosen = random.permutation(features)[:64]
    rows = np.full((len(values), len(chosen) + 1, features), others)
    for value, block in zip(values, rows, strict=True):
        block[np.arange(len(chosen)), chosen] = value
        block[-1] = value
    return rows.reshape(-1, features)
