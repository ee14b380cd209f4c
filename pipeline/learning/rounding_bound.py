"""How far rounding may move the answers of any module, measured by Monte Carlo arithmetic.

The module is evaluated in float64 several times. Each time every operation is given a random error
of the size that rounding to the precision that ships may have there. The scatter of the answers is
what rounding does to them, also where terms of some hundreds cancel to an answer near zero, which
no tolerance relative to the answer allows for (Parker, *Monte Carlo Arithmetic*, 1997; Vignes, *A
stochastic arithmetic for reliable scientific computation*, 1993).
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

SAMPLES = 16
"""Evaluations with errors. Their root mean square is below a third of the true one for one number
in a million."""

MULTIPLE = 16
"""How many times the scatter is allowed. Onnxruntime and torch came no further apart than
3.4 times the scatter in 25 kinds of networks, with the usual activations, norms, convolutions and
attention."""

DERIVATION = (
    f"{MULTIPLE} times the root mean square of what random rounding errors in each operation do to"
    f" the answer, in {SAMPLES} evaluations in float64 (Parker, Monte Carlo Arithmetic, 1997), plus"
    " export.atol and export.rtol * |output|"
)

# Random numbers that all errors are taken from, starting at a random one: to draw each anew takes
# three times as long as all else.
PERIOD = 2**17

# The number of terms in each sum of products, from the answer and the arguments. The error of such
# a sum follows from the size of its terms and grows with the square root of their number (Higham
# and Mary, *A new approach to probabilistic rounding error analysis*, 2019).
_TERMS: dict[str, Callable[..., int]] = {
    **dict.fromkeys(("mm", "bmm", "mv", "dot"), lambda _, a, *__: a.shape[-1]),
    **dict.fromkeys(("addmm", "addmv", "baddbmm"), lambda _, __, a, *___: a.shape[-1] + 1),
    **dict.fromkeys(("sum", "mean"), lambda answer, a, *_: a.numel() // max(1, answer.numel())),
    "convolution": lambda _, __, weight, *___: weight[0].numel() + 1,
}

# Operations with one rounding of their answer, or none. Whatever is in neither list may err by as
# much as its arguments' rounding does, and by a rounding of its answer and of a number near 1, such
# as 1 + exp(x) inside of a sigmoid.
_ROUNDED_ONCE = {
    *("add", "div", "exp", "mul", "pow", "reciprocal", "rsqrt", "rsub", "sqrt", "sub"),
    *("abs", "amax", "amin", "clamp", "clamp_max", "clamp_min", "hardtanh", "leaky_relu", "max"),
    *("maximum", "min", "minimum", "neg", "_prelu_kernel", "relu", "sign", "where"),
    *("cat", "clone", "constant_pad_nd", "copy", "expand", "gather", "index", "index_select"),
    *("repeat", "stack", "_to_copy"),
}


class _Errors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Add a random rounding error to each floating-point answer of each operation."""

    def __init__(self, unit: float) -> None:
        """unit: the unit roundoff that is simulated."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.random = np.random.Generator(np.random.PCG64(0))
        self.errors = torch.from_numpy(self.random.uniform(-unit, unit, PERIOD))

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run `func` as it is on views and numbers, and with errors on what it computes."""
        kwargs = kwargs or {}
        name = func._schema.name.removeprefix("aten::").removesuffix("_")
        aliases = [each.alias_info for each in func._schema.returns]
        views = any(alias is not None and not alias.is_write for alias in aliases)
        if views or not any(_is_float(each) for each in _pytree.tree_leaves((args, kwargs))):
            return func(*args, **kwargs)
        if name not in _TERMS and name not in _ROUNDED_ONCE and not any(aliases):
            args = _map(lambda each: each + self._error(each.abs()), args)
        answer = func(*args, **kwargs)
        for each in answer if isinstance(answer, tuple | list) else (answer,):
            if _is_float(each):
                each.add_(self._error(self._size(name, func, args, kwargs, each)))
        return answer

    def _size(
        self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], answer: Any
    ) -> torch.Tensor:
        """By how many units each number of the answer may err."""
        if name in _TERMS:
            terms = _TERMS[name](answer, *args)
            size: torch.Tensor = func(*_map(torch.abs, args), **kwargs) * math.sqrt(terms)
            return size
        return answer.abs() + (0 if name in _ROUNDED_ONCE else 1)  # type: ignore[no-any-return]

    def _error(self, size: torch.Tensor) -> torch.Tensor:
        count = size.numel()
        if len(self.errors) < PERIOD + count:
            self.errors = self.errors[:PERIOD].repeat(count // PERIOD + 2)
        start = int(self.random.integers(PERIOD))
        return self.errors[start : start + count].reshape(size.shape) * size


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _map(change: Callable[[torch.Tensor], torch.Tensor], args: tuple[Any, ...]) -> Any:
    return _pytree.tree_map(lambda each: change(each) if _is_float(each) else each, args)


def allowed(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far two correct evaluations of `module` may differ: [rows, targets].

    x: [rows, features], finite.
    Rounded up to eight binary digits, so that the last digits of a processor's float64 do not show.
    Infinite where the answer, or what leads to it, is beyond what the module's precision holds.
    """
    dtype = next(module.parameters()).dtype
    kind = torch.finfo(dtype)
    rows = torch.from_numpy(np.ascontiguousarray(x))
    errors = _Errors(kind.eps / 2)
    with torch.no_grad():
        module.double()
        right = module(rows)
        squares = torch.zeros_like(right)
        for _ in range(SAMPLES):
            with errors:
                answer = module(rows)
            squares += (answer - right) ** 2
        module.to(dtype)
    scatter = torch.sqrt(squares / SAMPLES).numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        # What is lost below the smallest normal number is not relative to anything.
        mantissa, exponent = np.frexp(MULTIPLE * scatter + kind.smallest_normal)
        bound: NDArray[np.float64] = np.ldexp(np.ceil(mantissa * 256) / 256, exponent)
        held = np.isfinite(bound) & (np.abs(right.numpy()) < kind.max / 2)
    return np.where(held, bound, np.inf)
