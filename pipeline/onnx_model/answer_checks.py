"""Whether onnxruntime answers as torch does, at every level of optimisation, whatever it gets."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.exact.interval import EPS, Interval
from pipeline.learning import rounding_bound
from pipeline.onnx_model import contract
from pipeline.onnx_model.contract import Float, Output
from pipeline.onnx_model.outputs import Answers, predictor

# 0 and 1 are the sizes that a shape fixed by mistake breaks, 1000 is one that vector code sees.
BATCHES = (0, 1, 2, 3, 1000)

# Training tables are tried in blocks of at most this many rows.
BLOCK = 65_536


@dataclass(frozen=True)
class Expected:
    """What the file has to be."""

    module: nn.Module
    """The torch module that it must agree with, in the precision that ships."""
    features: Sequence[str]
    targets: Sequence[str]
    opset: int
    rtol: float
    """Relative to the answer: what is allowed to a module that is not linear, beyond rounding."""
    atol: float
    """The same as an absolute difference."""

    @property
    def dtype(self) -> torch.dtype:
        """The precision that ships."""
        return next(self.module.parameters()).dtype

    @property
    def precision(self) -> Float:
        """The precision that ships, by its name."""
        return "float32" if self.dtype == torch.float32 else "float64"

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What the file answers."""
        asked = []
        if isinstance(self.module, Answers):
            asked += ["interval"] if self.module.interval is not None else []
            asked += ["in_range"] if self.module.bounded else []
        return contract.outputs(asked, self.targets, self.precision)

    def allowed(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """The largest difference allowed to each number of each output: [rows, columns] each.

        Infinite where it may overflow. x: finite inputs, [rows, features]; y: the predictions.
        """
        inner = predictor(self.module)
        bound = rounding_bound.analytic(inner, x)
        if bound is None:
            tolerance = self.atol + self.rtol * np.nan_to_num(np.abs(y))
            huge = np.max(np.abs(x), axis=1, keepdims=True, initial=0) > self._largest / 1e6
            bound = np.where(huge, np.inf, rounding_bound.monte_carlo(inner, x) + tolerance)
        found = [bound]
        if isinstance(self.module, Answers):
            if self.module.interval is not None:
                found += [self._allowed_to_an_end(x, y, bound, self.module.interval)] * 2
            if self.module.bounded:
                found.append(np.zeros((len(x), 1)))
        return found

    def _allowed_to_an_end(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        bound: NDArray[np.float64],
        interval: Interval,
    ) -> NDArray[np.float64]:
        """As `allowed`, of an end of the interval. bound: of y."""
        kind = torch.finfo(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            reach, apart = interval.half_width(x)
            size = np.abs(y) + reach
            last = (kind.eps + EPS) * size + kind.smallest_normal * kind.eps
            whole = bound + apart + last
            return np.where(size < self._largest / 2, whole, np.inf)

    @property
    def _largest(self) -> float:
        return float(torch.finfo(self.dtype).max)


@dataclass(frozen=True)
class Check:
    """One thing that was tried."""

    name: str
    problem: str | None = None
    """What is wrong, and where; None if it is right."""
    rows: int = 0
    """Rows of input that were tried."""
    bound: float | None = None
    """The largest difference that was allowed to any of them."""
    used: float = 0.0
    """The largest share of its bound that a difference took. Depends on the CPU: for no file."""
    excess: float = math.inf
    """By how much the differences exceed their bounds, if a larger bound is all that lacks."""


def values(
    content: bytes, expected: Expected, rows: Mapping[str, NDArray[np.float64]]
) -> list[Check]:
    """Run the file at every level of optimisation on all inputs, in batches of every size."""
    sessions, checks = {}, {}
    for level in onnxruntime.GraphOptimizationLevel.__members__.values():
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.log_severity_level = 4  # a failure comes as an exception, and is reported below
        checks[level] = [Check(f"{level.name}: {name}") for name in rows]
        try:
            session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
            sessions[level] = session
        except Exception as error:  # onnxruntime's exceptions have no base class of their own
            checks[level] = [Check(f"{level.name}: loads", str(error).strip())]
    for number, tried in enumerate(rows.values()):
        for trial in _trials(tried, expected):
            for level, session in sessions.items():
                checks[level][number] = trial.run(session, checks[level][number])
    return [check for of_level in checks.values() for check in of_level]


@dataclass(frozen=True)
class _Trial:
    """A batch, what torch says of it, and how far off the answers may be."""

    outputs: tuple[Output, ...]
    x: NDArray[Any]
    """[rows, features]"""
    finite: NDArray[np.bool_]
    """[rows, 1]"""
    right: list[NDArray[Any]]
    allowed: list[NDArray[np.float64]]

    @classmethod
    def of(
        cls,
        batch: NDArray[np.float64],
        expected: Expected,
        allowed: list[NDArray[np.float64]] | None = None,
    ) -> Self:
        """What `expected` makes of a batch: [rows, features], in float64; allowed: if known."""
        with np.errstate(over="ignore"):
            x = torch.empty(batch.shape, dtype=expected.dtype).copy_(torch.from_numpy(batch))
        with torch.inference_mode():
            said = expected.module(x)
        right = [each.numpy() for each in (said if isinstance(said, tuple) else (said,))]
        if allowed is None:
            allowed = expected.allowed(
                x.double().nan_to_num(0, 0, 0).numpy(), right[0].astype(np.float64)
            )
        finite = np.isfinite(x.numpy()).all(axis=1)[:, None]
        return cls(expected.outputs, x.numpy(), finite, right, allowed)

    def run(self, session: onnxruntime.InferenceSession, before: Check) -> Check:
        """Ask a session, unless it has failed already: the check that was `before`, with this."""
        if before.problem:
            return before
        tried = before.rows + len(self.x)
        try:
            answers = session.run([output.name for output in self.outputs], {"x": self.x})
        except Exception as error:  # see above
            return Check(before.name, f"batch of {len(self.x)}: {error}".strip(), tried)
        bound, used = before.bound or 0.0, before.used
        for each in zip(self.outputs, answers, self.right, self.allowed, strict=True):
            problem, largest, share = _compared(*each, self.finite)
            if problem:
                return Check(before.name, problem, tried, excess=largest)
            bound, used = max(bound, largest), max(used, share)
        return Check(before.name, None, tried, bound, used)


def _compared(
    output: Output,
    found: NDArray[Any],
    right: NDArray[Any],
    allowed: NDArray[np.float64],
    finite: NDArray[np.bool_],
) -> tuple[str | None, float, float]:
    """What is wrong with one output of a batch, the largest bound, and the share of it taken.

    With a problem the second number is the `Check.excess`.
    allowed: as of `Expected.allowed`; finite: [rows, 1], whether the inputs are.
    """
    if found.shape != right.shape or found.dtype != right.dtype:
        told = f"found {found.dtype}{found.shape}, must be {right.dtype}{right.shape}"
        return f"{output.name}: {told}", math.inf, 0
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(found.astype(np.float64) - right.astype(np.float64))
    # Where a sum may overflow, any answer will do. Elsewhere inputs that are not finite must
    # give the same class of answer, and finite ones an answer within the bound.
    same = _classes(found) == _classes(right) if output.dtype != "bool" else found == right
    wrong = (allowed < np.inf) & np.where(finite, ~(apart <= allowed), ~same)
    if wrong.any():
        excess = np.where(wrong & np.isfinite(apart), apart, 0)
        worst = int(np.argmax(excess if excess.any() else wrong))
        row, column = divmod(worst, wrong.shape[1])
        named = output.targets[column] if output.meaning == "prediction" else output.name
        told = (
            f"row {row} of a batch of {len(found)}, {named}: onnx {found[row, column]}, torch"
            f" {right[row, column]}, apart by {apart[row, column]:.3g}, allowed"
            f" {allowed[row, column]:.3g}"
        )
        # No rounding and no rough function is off by a thousandth of what the model answers.
        size = np.abs(right[np.isfinite(right)]).max(initial=0)
        small = (apart[wrong] <= size / 1000).all() and finite[wrong.any(axis=1)].all()
        return told, float((apart - allowed)[wrong].max()) if small else math.inf, 0
    held = finite & np.isfinite(allowed)
    shares = np.divide(apart, allowed, out=np.zeros_like(apart), where=held & (apart > 0))
    return None, float(allowed.max(where=held, initial=0)), float(shares.max(initial=0))


def _trials(rows: NDArray[np.float64], expected: Expected) -> Iterator[_Trial]:
    """All rows, in blocks; then the first of them, over and over, in batches of every size."""
    if not len(rows):
        return
    first = _Trial.of(rows[:BLOCK], expected)
    yield first
    for start in range(BLOCK, len(rows), BLOCK):
        yield _Trial.of(rows[start : start + BLOCK], expected)
    for size in BATCHES:
        again = np.arange(size) % len(rows)
        yield _Trial.of(rows[again], expected, [each[again] for each in first.allowed])


def _classes(values: NDArray[Any]) -> NDArray[np.int8]:
    """0 for a finite number, 1 and −1 for an infinity, 2 for NaN."""
    return np.where(np.isnan(values), 2, np.where(np.isinf(values), np.sign(values), 0)).astype(
        np.int8
    )
