"""Split-conformal interval in the file: two numbers for each target, to be added to its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.summary import Summary
from pipeline.exact import conformal
from pipeline.settings.errors import UserError


@dataclass(frozen=True)
class Offsets:
    """Both ends of the interval as distances from the answer, and what they come from.

    low, high: [targets]. rows: held-out rows that they were calibrated on.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    rows: int

    @property
    def size(self) -> NDArray[np.float64]:
        """The larger distance, [targets]."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def derivation(self) -> str:
        """How the ends were computed, as contract.json says it."""
        numbers = ", ".join(
            f"{low!r} and {high!r}" for low, high in zip(self.low, self.high, strict=True)
        )
        return (
            f". low, high: y plus {numbers}, split-conformal: calibrated on {self.rows} held-out"
            " rows, for 95 % of new rows that are drawn like these; in float64, rounded once."
            " bounds: that of y, plus eps * (|y| + the larger number) for the last rounding"
        )


def of_metrics(metrics: Mapping[str, Any], summary: Summary) -> Offsets:
    """Return the offsets in metrics.json, the content of which is `metrics`.

    Raises UserError if too few rows were held out for any.
    """
    if (interval := metrics.get("interval")) is None:
        raise UserError(
            f"export.outputs: found interval, but {summary.test.rows} rows are held out; their"
            f" errors tell how far it reaches, which takes {conformal.FEWEST_ROWS} rows"
            f" ({conformal.FEWEST_SIGNED} for each end to be found by itself); set"
            " data.test_fraction higher, bring more rows, or leave interval out"
        )
    low, high = (
        tuple(float(interval[end][target]) for target in summary.targets) for end in ("low", "high")
    )
    return Offsets(low, high, int(interval["rows"]))
