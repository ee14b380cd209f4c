"""Losses of errors in float64 and without torch: what the metrics report, and what tests hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.keys.train_settings import LossKind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LossFunction:
    """A loss function with its thresholds.

    thresholds: of huber, one for each target: [targets]; else empty.
    """

    kind: LossKind
    thresholds: tuple[float, ...] = ()

    def of(self, errors: Floats) -> Floats:
        """Return the loss of each error y − prediction: [rows, targets] to the same shape.

        Each number comes from a few operations of IEEE arithmetic, the same on every CPU.
        """
        sizes = np.abs(errors)
        if self.kind.name == "huber":
            limit = np.array(self.thresholds)
            near = np.minimum(sizes, limit)  # the squares of large errors would overflow
            return np.where(sizes <= limit, 0.5 * near * near, limit * (sizes - 0.5 * limit))
        if (share := self.kind.share) is not None:
            return np.where(errors >= 0, share * sizes, (1 - share) * sizes)
        return sizes if self.kind.name == "absolute" else sizes * sizes
