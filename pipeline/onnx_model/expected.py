"""The expected ONNX file: its interface, and how far its answers may differ from torch's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.exact.interval import EPS, Interval
from pipeline.learning import prediction, rounding_bound
from pipeline.learning.line import Line
from pipeline.onnx_model.contract import Output
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.outputs import Answers, described, predictor

# torch writes this version for every opset. A runtime refuses a file of a newer version than it
# knows, so after an update of torch that raises it, older clients could not read our files.
IR_VERSION = 10


@dataclass(frozen=True)
class Expected:
    """The module that a file must agree with, its interface, and the allowed differences."""

    module: nn.Module
    """The torch module that the file must agree with, in the precision that ships."""
    features: Sequence[str]
    targets: Sequence[str]
    opset: int
    rtol: float
    """Difference relative to the answer that is allowed, beyond rounding, if the module is not
    linear."""
    atol: float
    """Absolute difference that is allowed in the same case."""

    @property
    def predictor(self) -> nn.Module:
        """The module that computes y alone."""
        return predictor(self.module)

    @property
    def line(self) -> Line | None:
        """The numbers of the linear model that computes y; None if it is not linear."""
        return prediction.line_of(self.predictor)

    @property
    def interval(self) -> Interval | None:
        """The prediction interval; None if it is not among the outputs."""
        return self.module.interval if isinstance(self.module, Answers) else None

    @property
    def has_in_range(self) -> bool:
        """True if in_range is among the outputs."""
        return isinstance(self.module, Answers) and self.module.bounded

    @property
    def dtype(self) -> torch.dtype:
        """The precision that ships."""
        return next(self.module.parameters()).dtype

    @property
    def precision(self) -> Float:
        """The name of the precision that ships."""
        return "float32" if self.dtype == torch.float32 else "float64"

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs of the file."""
        asked = ["interval"] if self.interval is not None else []
        asked += ["in_range"] if self.has_in_range else []
        return described(asked, self.targets, self.precision)

    def allowed(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return the largest difference allowed in each number of each output: [rows, columns].

        Infinite where the answer may overflow. x: finite inputs, [rows, features]; y: predictions.
        """
        bound = rounding_bound.analytic(self.predictor, x)
        if bound is None:
            tolerance = self.atol + self.rtol * np.nan_to_num(np.abs(y))
            huge = np.max(np.abs(x), axis=1, keepdims=True, initial=0) > self._largest / 1e6
            bound = rounding_bound.monte_carlo(self.predictor, x) + tolerance
            bound = np.where(huge, np.inf, bound)
        bounds = [bound]
        if self.interval is not None:
            bounds += [self._allowed_at_ends(x, y, bound, self.interval)] * 2
        if self.has_in_range:
            bounds.append(np.zeros((len(x), 1)))
        return bounds

    def _allowed_at_ends(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        bound: NDArray[np.float64],
        interval: Interval,
    ) -> NDArray[np.float64]:
        """Return the difference allowed in an end of the interval. bound: for y."""
        kind = torch.finfo(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            half_width, rounding = interval.half_width(x)
            size = np.abs(y) + half_width
            last_rounding = (kind.eps + EPS) * size + kind.smallest_normal * kind.eps
            end_bound = bound + rounding + last_rounding
            return np.where(size < self._largest / 2, end_bound, np.inf)

    @property
    def _largest(self) -> float:
        return float(torch.finfo(self.dtype).max)
