"""Bound on the effect of rounding on the predictions of a module.

`analytic` has the bound of error analysis, for a linear module. `monte_carlo` has the bound of
Monte Carlo arithmetic, for any module. The module is evaluated in float64 several times, each time
with a random error in every operation, as large as rounding to the module's dtype may cause. The
scatter of the predictions is the effect of rounding. It is right even where terms of some hundreds
cancel to a prediction near zero, for which a tolerance relative to the prediction is too small
(Parker, *Monte Carlo Arithmetic*, 1997; Vignes, *A stochastic arithmetic for reliable scientific
computation*, 1993).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.learning.line import Line
from pipeline.learning.prediction import line_of

EVALUATIONS = 16
"""Evaluations with errors. Their root mean square is less than a third of the true one for one
number in a million."""

SCATTER_MULTIPLE = 16
"""The bound is so many times the scatter. The largest difference between onnxruntime and torch was
3.4 times the scatter, measured on 25 kinds of networks with the usual activations, norms,
convolutions and attention."""

DERIVATION = (
    f"{SCATTER_MULTIPLE} times the root mean square of what random rounding errors in each"
    f" operation do to the answer, in {EVALUATIONS} evaluations in float64 (Parker, Monte Carlo"
    " Arithmetic, 1997), plus export.atol and export.rtol * |output|"
)

# Number of random numbers from which the errors are taken, each time from a random start. Drawing
# new numbers would take three times as long as everything else.
DISTINCT_ERRORS = 2**17

# The number of terms in each sum of products, from the result and the arguments. The error of such
# a sum is proportional to the size of its terms and to the square root of their number (Higham and
# Mary, *A new approach to probabilistic rounding error analysis*, 2019).
_TERMS: dict[str, Callable[..., int]] = {
    **dict.fromkeys(("mm", "bmm", "mv", "dot"), lambda _, a, *__: a.shape[-1]),
    **dict.fromkeys(("addmm", "addmv", "baddbmm"), lambda _, __, a, *___: a.shape[-1] + 1),
    **dict.fromkeys(("sum", "mean"), lambda result, a, *_: a.numel() // max(1, result.numel())),
    "convolution": lambda _, __, weight, *___: weight[0].numel() + 1,
}

# Operations that round their result once, or not at all. The error of an operation in neither list
# may come from the rounding of its arguments, of its result, and of a number near 1 on the way,
# such as 1 + exp(x) inside a sigmoid.
_ROUNDED_ONCE = {
    *("add", "div", "exp", "mul", "pow", "reciprocal", "rsqrt", "rsub", "sqrt", "sub"),
    *("abs", "amax", "amin", "clamp", "clamp_max", "clamp_min", "hardtanh", "leaky_relu", "max"),
    *("maximum", "min", "minimum", "neg", "_prelu_kernel", "relu", "sign", "where"),
    *("cat", "clone", "constant_pad_nd", "copy", "expand", "gather", "index", "index_select"),
    *("repeat", "stack", "_to_copy"),
}


class _Errors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Mode that adds a random rounding error to each floating-point result of each operation."""

    def __init__(self, unit: float) -> None:
        """unit: the unit roundoff that is simulated."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.random = np.random.Generator(np.random.PCG64(0))
        self.errors = torch.from_numpy(self.random.uniform(-unit, unit, DISTINCT_ERRORS))

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run `func`, with errors in its results unless it only makes a view."""
        kwargs = kwargs or {}
        name = func._schema.name.removeprefix("aten::").removesuffix("_")
        aliases = [each.alias_info for each in func._schema.returns]
        views = any(alias is not None and not alias.is_write for alias in aliases)
        if views or not any(_is_float(each) for each in _pytree.tree_leaves((args, kwargs))):
            return func(*args, **kwargs)
        if name not in _TERMS and name not in _ROUNDED_ONCE and not any(aliases):
            args = _map(lambda each: each + self._error(each.abs()), args)
        result = func(*args, **kwargs)
        for each in result if isinstance(result, tuple | list) else (result,):
            if _is_float(each):
                each.add_(self._error(self._size(name, func, args, kwargs, each)))
        return result

    def _size(
        self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> torch.Tensor:
        """Return the error of each number of `result`, in units of the unit roundoff."""
        if name in _TERMS:
            terms = _TERMS[name](result, *args)
            size: torch.Tensor = func(*_map(torch.abs, args), **kwargs) * math.sqrt(terms)
            return size
        return result.abs() + (0 if name in _ROUNDED_ONCE else 1)  # type: ignore[no-any-return]

    def random_within(self, sizes: NDArray[np.float64]) -> torch.Tensor:
        """Return random numbers that are no larger than `sizes`."""
        return torch.from_numpy(self.random.uniform(-1, 1, sizes.shape) * np.nan_to_num(sizes))

    def _error(self, size: torch.Tensor) -> torch.Tensor:
        count = size.numel()
        if len(self.errors) < DISTINCT_ERRORS + count:
            self.errors = self.errors[:DISTINCT_ERRORS].repeat(count // DISTINCT_ERRORS + 2)
        start = int(self.random.integers(DISTINCT_ERRORS))
        return self.errors[start : start + count].reshape(size.shape) * size


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _map(change: Callable[[torch.Tensor], torch.Tensor], args: tuple[Any, ...]) -> Any:
    return _pytree.tree_map(lambda each: change(each) if _is_float(each) else each, args)


def monte_carlo(
    module: nn.Module,
    x: NDArray[np.float64],
    differences: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the largest difference between two correct evaluations of any module.

    x: [rows, features], finite; the bound: [rows, targets]. differences: how far each number of x
    itself may be off, of the same shape; None: not at all.
    Rounded up to eight binary digits, so that it does not depend on the last digits of a
    processor's float64. Infinite where the prediction, or a number on the way to it, is too large
    for the module's dtype.
    """
    dtype = next(module.parameters()).dtype
    kind = torch.finfo(dtype)
    rows = torch.from_numpy(np.ascontiguousarray(x))
    errors = _Errors(kind.eps / 2)
    with torch.no_grad():
        module.double()
        exact = module(rows)
        squares = torch.zeros_like(exact)
        for _ in range(EVALUATIONS):
            tried = rows
            if differences is not None:
                tried = rows + errors.random_within(differences)
            with errors:
                sample = module(tried)
            squares += (sample - exact) ** 2
        module.to(dtype)
    scatter = torch.sqrt(squares / EVALUATIONS).numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        # The error of a number below the smallest normal one is not relative to its size.
        mantissa, exponent = np.frexp(SCATTER_MULTIPLE * scatter + kind.smallest_normal)
        bound: NDArray[np.float64] = np.ldexp(np.ceil(mantissa * 256) / 256, exponent)
        in_range = np.isfinite(bound) & (np.abs(exact.numpy()) < kind.max / 2)
    return np.where(in_range, bound, np.inf)


def analytic(
    module: nn.Module,
    x: NDArray[np.float64],
    differences: NDArray[np.float64] | None = None,
) -> NDArray[np.float64] | None:
    """Return the largest difference between two correct evaluations of a linear module.

    x: [rows, features]; the bound: [rows, targets]. None if the module is not linear.
    2(p + 2) u (|x| |weight|ᵀ + |bias|) for p features that are not zero and the unit roundoff u of
    the module's dtype, for any order of the sums, with or without fused multiply-add (Higham,
    *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1), plus the error of products
    below the smallest normal number. If the model subtracts a mean, |x| is |x − mean|, and the
    subtraction adds one rounding. Infinite where a sum may overflow.
    differences: how far each number of x itself may be off, of the same shape; None: not at all.
    They move the answer by no more than differences |weight|ᵀ.
    """
    line = line_of(module)
    if line is None:
        return None
    kind = torch.finfo(next(module.parameters()).dtype)
    centred = np.abs(x - line.centre)
    # A feature that is zero adds no error.
    terms = np.count_nonzero(centred, axis=1)[:, None] + (3 if line.centre.any() else 2)
    with np.errstate(over="ignore", invalid="ignore"):
        absolute = Line(np.abs(line.weight), np.abs(line.bias), np.zeros_like(line.centre))
        magnitude = absolute.predict(centred)
        # eps is 2u; an operation that underflows errs by less than smallest_normal · eps.
        bound: NDArray[np.float64] = kind.eps * terms * (magnitude + kind.smallest_normal)
        if differences is not None:
            no_bias = Line(absolute.weight, np.zeros_like(line.bias), absolute.centre)
            bound += no_bias.predict(differences) * (1 + kind.eps * terms)
        # Half of the largest number leaves room for the roundings on the way.
        safe = np.maximum(magnitude, centred.max(axis=1, keepdims=True, initial=0)) < kind.max / 2
        return np.where(safe, bound, np.inf)
