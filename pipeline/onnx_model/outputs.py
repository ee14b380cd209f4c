"""The outputs that `export.outputs` asks for: as a torch module, and in the contract."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns.summary import Summary
from pipeline.exact import least_squares
from pipeline.exact.interval import Interval
from pipeline.learning import fit_messages, prediction
from pipeline.learning.line import Line
from pipeline.onnx_model import offsets
from pipeline.onnx_model.contract import Meaning, Output
from pipeline.onnx_model.contract_inputs import Float, Shape
from pipeline.onnx_model.offsets import Offsets
from pipeline.onnx_model.own_unit import Places, own_unit
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


class Answers(nn.Module):
    """A module with more outputs: y, then low and high, then in_range.

    interval: gives low and high, computed in float64 and rounded once, so that low ≤ y ≤ high; or
    offsets, which are added to y: of a quantile, y itself may lie outside.
    bounds: the smallest and the largest value of each feature in range, [2, features].
    logs: places of the targets of which the logarithm is fitted; they are answered in their unit.
    """

    centre: torch.Tensor
    factor: torch.Tensor
    constant: torch.Tensor
    scale: torch.Tensor
    to_low: torch.Tensor
    to_high: torch.Tensor
    smallest: torch.Tensor
    largest: torch.Tensor

    def __init__(
        self,
        module: nn.Module,
        interval: Interval | Offsets | None = None,
        bounds: NDArray[np.float64] | None = None,
        logs: Places = (),
    ) -> None:
        super().__init__()
        self.module = module
        self.logs = frozenset(logs)
        self.interval, self.bounded = interval, bounds is not None
        if isinstance(interval, Offsets):
            self.register_buffer("to_low", torch.tensor(interval.low, dtype=torch.float64))
            self.register_buffer("to_high", torch.tensor(interval.high, dtype=torch.float64))
        elif interval is not None:
            for name, value in (
                ("centre", interval.centre),
                ("factor", interval.factor),
                ("constant", np.array(interval.constant)),
                ("scale", interval.scale),
            ):
                self.register_buffer(name, torch.from_numpy(value.copy()))
        if bounds is not None:
            low, high = torch.from_numpy(bounds).to(next(module.parameters()).dtype)
            self.register_buffer("smallest", low)
            self.register_buffer("largest", high)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Answer: x [batch, features] to y, low and high [batch, targets], in_range [batch, 1]."""
        y: torch.Tensor = self.module(x)
        fitted = y, *self._ends(x, y.double())
        outputs = [own_unit(each, self.logs, y.dtype) for each in fitted]
        if self.bounded:
            inside = (x >= self.smallest) & (x <= self.largest)
            # A sum, because opsets below 18 do not have the operator that torch writes for `all`.
            outputs.append(inside.sum(dim=1, keepdim=True) == x.shape[1])
        return tuple(outputs)

    def _ends(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return both ends of the interval in float64, on the scale on which y was fitted."""
        if isinstance(self.interval, Offsets):
            return y + self.to_low, y + self.to_high
        if self.interval is None:
            return ()
        z = (x.double() - self.centre) @ self.factor
        half = torch.sqrt((z * z).sum(dim=1, keepdim=True) + self.constant) * self.scale
        return y - half, y + half


def predictor(module: nn.Module) -> nn.Module:
    """Return the module that computes y alone, on the scale on which the targets are fitted."""
    return module.module if isinstance(module, Answers) else module


def with_outputs(
    module: nn.Module,
    params: Params,
    summary: Summary,
    sample: NDArray[np.float64],
    ranges: bool = True,
    metrics: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Return the module with the outputs that `export.outputs` asks for.

    sample: training rows to check the interval at, encoded: [rows, features]. ranges: True if
    in_range is an output of the module; the plan of raw columns computes it elsewhere. metrics: the
    content of metrics.json, which has the interval of a model that has no exact one.
    Raises UserError if a prediction interval is asked for and cannot be computed.
    """
    asked = [each for each in params.export.outputs if ranges or each != "in_range"]
    targets = params.data.targets
    logs = [place for place, name in enumerate(targets) if name in targets.logs]
    if set(asked) == {"prediction"} and not logs:
        return module
    bounds = None
    if "in_range" in asked:
        ends = summary.train.smallest, summary.train.largest
        bounds = np.array([end[: len(summary.features)] for end in ends])
    interval: Interval | Offsets | None = None
    if "interval" in asked and params.train.has_exact_interval:
        interval = _interval(module, params, summary, sample)
    elif "interval" in asked:
        interval = offsets.of_metrics(metrics or {}, summary)
    return Answers(module, interval, bounds, logs).eval()


def described(asked: Collection[str], targets: Sequence[str], dtype: Float) -> tuple[Output, ...]:
    """Return the contract's description of the outputs, in order. asked: export.outputs."""
    shape: Shape = ("batch", len(targets))
    outputs = [
        Output(name=name, meaning=meaning, dtype=dtype, shape=shape, targets=tuple(targets))
        for name, meaning in _numbers(asked)
    ]
    return (*outputs, *_flag(asked, "in_range"))


def described_by_target(
    asked: Collection[str], targets: Sequence[str], dtype: Float, columns: Collection[str]
) -> tuple[Output, ...]:
    """Return the description of outputs of which each belongs to one target, in order.

    asked: export.outputs. columns: the names of the inputs; no output has the name of one.
    MLflow's Python function of an ONNX file needs such outputs: it makes each one column.
    """

    def free(name: str) -> str:
        return free(name + "_") if name in columns else name

    shape: Shape = ("batch", 1)
    outputs = [
        Output(
            name=free(name if len(targets) == 1 else f"{name}[{target}]"),
            meaning=meaning,
            dtype=dtype,
            shape=shape,
            targets=(target,),
        )
        for name, meaning in _numbers(asked)
        for target in targets
    ]
    return (*outputs, *_flag(asked, free("in_range")))


def free_prefix(prefix: str, names: Collection[str]) -> str:
    """Return the prefix, with as many slashes as it takes for no name to begin with it."""
    while any(name.startswith(prefix) for name in names):
        prefix += "/"
    return prefix


def _numbers(asked: Collection[str]) -> list[tuple[str, Meaning]]:
    """Return the names and the meanings of the outputs that are numbers."""
    ends: list[tuple[str, Meaning]] = [("low", "low"), ("high", "high")]
    return [("y", "prediction"), *(ends if "interval" in asked else [])]


def _flag(asked: Collection[str], name: str) -> list[Output]:
    """Return the output in_range, if it is asked for."""
    shape: Shape = ("batch", 1)
    output = Output(name=name, meaning="in_range", dtype="bool", shape=shape, targets=())
    return [output] if "in_range" in asked else []


def _interval(
    module: nn.Module, params: Params, summary: Summary, sample: NDArray[np.float64]
) -> Interval:
    """Return the prediction interval of the least-squares solution, which the module holds.

    sample: training rows to check it at, the extreme ones of each column among them.
    Raises UserError if there is no interval, or if rounding moves the module's answers or the
    interval by more than a hundredth of the interval's half width.
    """
    features, targets = summary.features, summary.targets
    fit_messages.announce(len(features))
    fit = least_squares.fit(
        summary.train.gram, features, targets, params.model.bias, summary.roundoff(features)
    ).without_nearly_dependent()
    leave_out = "leave interval out"
    try:
        interval = fit.interval()
    except ValueError as error:
        column = f" ({fit_messages.dependent(fit.dependent[0])})" if fit.dependent else ""
        raise UserError(
            f"export.outputs: found interval, but there is no interval: {error}{column};"
            f" {leave_out}"
        ) from None
    line = prediction.line_of(module)
    assert line is not None, "only a linear model can be fitted exactly"
    # The interval belongs to the exact solution; the module's weights and arithmetic are rounded.
    solution = Line(*fit.shipped("float64", line.centre), line.centre)
    half_width, rounding = interval.half_width(sample)
    distance = np.abs(line.predict(sample) - solution.predict(sample)) + rounding
    if (distance > half_width / 100).any():
        row, target = divmod(int(np.argmax(distance - half_width / 100)), len(targets))
        cure = "" if params.model.dtype == "float64" else "set model.dtype to float64, or "
        raise UserError(
            f"export.outputs: found interval, but the model in {params.model.dtype} answers"
            f" {targets[target]} at row {row + 1} of {files.SAMPLE} with an error"
            f" of {distance[row, target]:.2g}, more than a hundredth of the interval's half width"
            f" ({half_width[row, target]:.2g}); {cure}{leave_out}"
        )
    # Rounding of the means changes the interval where columns hardly vary: compare it with the
    # exact interval at the rows where it is narrowest and widest.
    extreme_rows = np.unique([*half_width.argmin(axis=0), *half_width.argmax(axis=0)])
    _, low, high = fit.predict(sample[extreme_rows])
    difference = np.abs((high - low) / 2 - half_width[extreme_rows])
    if (difference > half_width[extreme_rows] / 100 + distance[extreme_rows]).any():
        raise UserError(
            "export.outputs: found interval, but the columns vary too little for float64 to compute"
            f" it; subtract from each a number near its mean, or {leave_out}"
        )
    return interval
