"""What the ONNX file computes: y, and what `export.outputs` asks for beside it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.exact import least_squares
from pipeline.exact.gram import gram_matrix
from pipeline.exact.interval import Interval
from pipeline.learning import fit_messages, prediction
from pipeline.learning.line import Line
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table


class Answers(nn.Module):
    """A module and what else is asked of it: y, then low and high, then in_range.

    interval: the ends of the 95 % prediction interval around y, computed in float64 and rounded
    once, so that low ≤ y ≤ high. bounds: the smallest and the largest value of each feature, [2,
    features], between which a row is in range.
    """

    centre: torch.Tensor
    factor: torch.Tensor
    constant: torch.Tensor
    scale: torch.Tensor
    smallest: torch.Tensor
    largest: torch.Tensor

    def __init__(
        self,
        module: nn.Module,
        interval: Interval | None = None,
        bounds: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__()
        self.module = module
        self.interval, self.bounded = interval, bounds is not None
        if interval is not None:
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
        found = [y]
        if self.interval is not None:
            z = (x.double() - self.centre) @ self.factor
            half = torch.sqrt((z * z).sum(dim=1, keepdim=True) + self.constant) * self.scale
            found += [(y.double() - half).to(y.dtype), (y.double() + half).to(y.dtype)]
        if self.bounded:
            inside = (x >= self.smallest) & (x <= self.largest)
            # Counted, because the operator that torch writes for `all` is not in opsets below 18.
            found.append(inside.sum(dim=1, keepdim=True) == x.shape[1])
        return tuple(found)


def predictor(module: nn.Module) -> nn.Module:
    """Return the module that computes y alone."""
    return module.module if isinstance(module, Answers) else module


def line_of(module: nn.Module) -> Line | None:
    """Return the numbers of the linear module that computes y; None if it is not linear."""
    return prediction.line_of(predictor(module))


def answering(module: nn.Module, params: Params, rows: Table) -> nn.Module:
    """The module with what `export.outputs` asks for. rows: the training table.

    Raises UserError if an interval is asked for and none is known.
    """
    asked = params.export.outputs
    if set(asked) == {"prediction"}:
        return module
    x = rows.columns(rows.features(params.data.targets))
    bounds = np.array([x.min(axis=0), x.max(axis=0)]) if "in_range" in asked else None
    interval = _interval(module, params, rows) if "interval" in asked else None
    return Answers(module, interval, bounds).eval()


def _interval(module: nn.Module, params: Params, rows: Table) -> Interval:
    """The prediction interval of the least-squares solution, which is what the module holds."""
    targets = params.data.targets
    features = rows.features(targets)
    fit_messages.announce(len(features))
    fit = least_squares.fit(gram_matrix(rows.values), features, targets, params.model.bias)
    leave_out = "leave interval out"
    try:
        interval = fit.interval()
    except ValueError as error:
        column = f" ({fit_messages.dependent(fit.dependent[0])})" if fit.dependent else ""
        raise UserError(
            f"export.outputs: found interval, but there is none to give: {error}{column};"
            f" {leave_out}"
        ) from None
    line = line_of(module)
    assert line is not None, "only a linear model can be fitted exactly"
    # It is that of the exact solution. What ships is rounded, and so is the arithmetic.
    x = rows.columns(features)
    solution = Line(*fit.shipped("float64", line.centre), line.centre)
    reach, apart = interval.half_width(x)
    moved = np.abs(line.predict(x) - solution.predict(x)) + apart
    if (moved > reach / 100).any():
        row, target = divmod(int(np.argmax(moved - reach / 100)), len(targets))
        cure = "" if params.model.dtype == "float64" else "set model.dtype to float64, or "
        raise UserError(
            f"export.outputs: found interval, but the model in {params.model.dtype} answers"
            f" {targets[target]} at training row {row + 1} by {moved[row, target]:.2g} off the"
            f" solution, more than a hundredth of what the interval reaches to either side"
            f" ({reach[row, target]:.2g}); {cure}{leave_out}"
        )
    # Nor does it hold where the rounding of the means counts: of columns that hardly vary.
    tried = np.unique([*reach.argmin(axis=0), *reach.argmax(axis=0)])
    _, low, high = fit.predict(x[tried])
    if (np.abs((high - low) / 2 - reach[tried]) > reach[tried] / 100 + moved[tried]).any():
        raise UserError(
            "export.outputs: found interval, but the columns vary too little for float64 to compute"
            f" it; subtract from each a number near its mean, or {leave_out}"
        )
    return interval
