"""The expected ONNX file: its interface, and how far its answers may differ from torch's."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns.plan import Plan
from pipeline.exact.interval import EPS, Interval
from pipeline.learning import prediction, rounding_bound
from pipeline.learning.line import Line
from pipeline.onnx_model import feed, own_unit
from pipeline.onnx_model.contract import Output
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.feed import Feed, Inputs
from pipeline.onnx_model.offsets import Offsets
from pipeline.onnx_model.outputs import (
    Answers,
    described,
    described_by_target,
    free_prefix,
    predictor,
)
from pipeline.onnx_model.own_unit import Places

# torch writes this version for every opset. A runtime refuses a file of a newer version than it
# knows, so after an update of torch that raises it, older clients could not read our files.
IR_VERSION = 10


class InputForm(NamedTuple):
    """The name, the type and the shape of an input."""

    name: str
    dtype: str
    shape: tuple[Any, ...]


MOST_NUMBERS_IN_A_BLOCK, FEWEST_ROWS_IN_A_BLOCK, MOST_ROWS_IN_A_BLOCK = 2**20, 1000, 8192
"""The rows of a block stay in the cache, which makes the checks a third faster, and fill no memory.
"""


@dataclass(frozen=True)
class Expected:
    """The module that a file must agree with, its interface, and the allowed differences."""

    module: nn.Module
    """The torch module that the file must agree with, in the precision that ships."""
    features: Sequence[str]
    """The names of the numbers that the module gets."""
    targets: Sequence[str]
    opset: int
    rtol: float
    """Difference relative to the answer that is allowed, beyond rounding, if the module is not
    linear."""
    atol: float
    """Absolute difference that is allowed in the same case."""
    plan: Plan | None = None
    """The plan of the raw columns that the file takes; None if it takes a matrix of numbers."""
    asked: Collection[str] = ()
    """With a plan: export.outputs."""

    @property
    def predictor(self) -> nn.Module:
        """The module that computes y alone, on the scale on which the targets are fitted."""
        return predictor(self.module)

    @property
    def logs(self) -> Places:
        """Places of the targets of which the logarithm is fitted."""
        return self.module.logs if isinstance(self.module, Answers) else ()

    @property
    def line(self) -> Line | None:
        """The numbers of the linear model that computes y; None if it is not linear."""
        return prediction.line_of(self.predictor)

    @property
    def interval(self) -> Interval | None:
        """The interval of least squares; None if it is not among the outputs."""
        interval = self._interval
        return interval if isinstance(interval, Interval) else None

    @property
    def offsets(self) -> Offsets | None:
        """The numbers that are added to the answers for an interval; None if there are none."""
        interval = self._interval
        return interval if isinstance(interval, Offsets) else None

    @property
    def _interval(self) -> Interval | Offsets | None:
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
    def block_rows(self) -> int:
        """Number of rows to compute at a time."""
        sizes: list[int] = [n for each in self.module.state_dict().values() for n in each.shape]
        rows = MOST_NUMBERS_IN_A_BLOCK // max([1, len(self.features), *sizes])
        return min(max(rows, FEWEST_ROWS_IN_A_BLOCK), MOST_ROWS_IN_A_BLOCK)

    @property
    def version(self) -> Literal[1, 2]:
        """The version of the contract."""
        return 1 if self.plan is None else 2

    @property
    def inputs(self) -> tuple[InputForm, ...]:
        """The inputs of the file."""
        if self.plan is None:
            return (InputForm("x", self.precision, ("batch", len(self.features))),)
        return tuple(
            InputForm(each.name, feed.dtype_of(each, self.precision), ("batch",))
            for each in self.plan.columns
        )

    def prefix(self, part: Literal["encoder/", "model/"]) -> str:
        """Return the beginning of the names in a part of the graph; "" if there are no parts."""
        if self.plan is None:
            return ""
        return free_prefix(part, [*self.plan.features, *(each.name for each in self.outputs)])

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs of the file."""
        asked = ["interval"] if self._interval is not None else []
        asked += ["in_range"] if self.has_in_range else []
        if self.plan is not None:
            columns = self.plan.features
            return described_by_target(self.asked, self.targets, self.precision, columns)
        return described(asked, self.targets, self.precision)

    def feed(self, inputs: Inputs) -> Feed:
        """Return rows with what the plan makes of them. inputs: by the name of the input."""
        if self.plan is None:
            return feed.of_matrix(inputs, self.precision)
        return feed.of_table(inputs, self.plan, self.precision)

    def answers(self, rows: Feed) -> list[NDArray[Any]]:
        """Return torch's answers to rows, an array for each output: [rows, columns]."""
        with torch.inference_mode():
            computed = self.module(torch.from_numpy(rows.x.astype(self.precision)))
        arrays = [
            each.numpy() for each in (computed if isinstance(computed, tuple) else (computed,))
        ]
        return self.by_output(arrays, rows, math.nan)

    def by_output(
        self, computed: list[NDArray[Any]], rows: Feed, refused: float
    ) -> list[NDArray[Any]]:
        """Return numbers of the module's outputs as numbers of the file's outputs.

        refused: the number for the rows that the plan refuses.
        """
        if self.plan is None:
            return computed
        arrays: list[NDArray[Any]] = []
        for values in computed:
            kept = np.where(rows.refused[:, None], np.asarray(refused, values.dtype), values)
            arrays += [kept[:, [target]] for target in range(len(self.targets))]
        if "in_range" in self.asked:
            arrays.append(rows.inside[:, None])
        return arrays

    def allowed_in(self, rows: Feed, answers: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
        """Return the largest difference allowed in each of `answers`, torch's answers to `rows`."""
        x = np.nan_to_num(rows.x, nan=0, posinf=0, neginf=0)
        y = answers[0] if self.plan is None else np.hstack(answers[: len(self.targets)])
        allowed = self.allowed(x, y.astype(np.float64), rows.differences)
        bounds = self.by_output(allowed, rows, 0.0)
        if self.plan is not None and "in_range" in self.asked:
            bounds[-1] = np.zeros((len(y), 1))
        return bounds

    def allowed(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        differences: NDArray[np.float64] | None = None,
    ) -> list[NDArray[np.float64]]:
        """Return the largest difference allowed in each number of each output: [rows, columns].

        Infinite where the answer may overflow. x: finite inputs, [rows, features]; y: predictions.
        differences: see Feed.
        """
        bound = rounding_bound.analytic(self.predictor, x, differences)
        tolerance: float | NDArray[np.float64] = 0.0
        if bound is None:
            tolerance = self.atol + self.rtol * np.nan_to_num(np.abs(y))
            huge = np.max(np.abs(x), axis=1, keepdims=True, initial=0) > self._largest / 1e6
            bound = rounding_bound.monte_carlo(self.predictor, x, differences)
            bound = np.where(huge, np.inf, bound)
        fitted = prediction.predict(self.predictor, x) if self.logs else y
        bounds = [own_unit.allowed(fitted, bound, self.logs, self.dtype) + tolerance]
        if self.interval is not None or self.offsets is not None:
            end_bound, ends = self._at_ends(x, fitted, bound, differences)
            bounds += [
                own_unit.allowed(end, end_bound, self.logs, self.dtype) + tolerance for end in ends
            ]
        if self.has_in_range:
            bounds.append(np.zeros((len(x), 1)))
        return bounds

    def _at_ends(
        self,
        x: NDArray[np.float64],
        fitted: NDArray[np.float64],
        bound: NDArray[np.float64],
        differences: NDArray[np.float64] | None,
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Return the difference allowed in the ends of the interval, and both ends.

        All are on the fitted scale, [rows, targets]. fitted: the answers. bound: for them.
        """
        if self.offsets is not None:
            ends = [fitted + end for end in (self.offsets.low, self.offsets.high)]
            return self._allowed_at_ends(fitted, bound, self.offsets.size, np.zeros(1)), ends
        assert self.interval is not None
        half_width, rounding = self.interval.half_width(x)
        end_bound = self._allowed_at_ends(fitted, bound, half_width, rounding)
        if differences is not None:
            end_bound = end_bound + self.interval.change(differences)
        return end_bound, [fitted - half_width, fitted + half_width]

    def _allowed_at_ends(
        self,
        y: NDArray[np.float64],
        bound: NDArray[np.float64],
        distance: NDArray[np.float64],
        rounding: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the difference allowed in an end of the interval.

        bound: for y. distance: of the end from y, [rows, targets] or [targets], and the rounding
        error in it.
        """
        kind = torch.finfo(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(y) + distance
            last_rounding = (kind.eps + EPS) * size + kind.smallest_normal * kind.eps
            end_bound = bound + rounding + last_rounding
            return np.where(size < self._largest / 2, end_bound, np.inf)

    @property
    def _largest(self) -> float:
        return float(torch.finfo(self.dtype).max)
