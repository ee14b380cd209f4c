"""Rounding to the model's dtype, with a warning the first time that it is not expected."""

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Rounding:
    """Rounds numbers, and warns once."""

    def __init__(self) -> None:
        self._has_warned = False

    def to(self, dtype: np.dtype[Any], numbers: NDArray[Any], *, chosen: bool) -> NDArray[Any]:
        """Return the numbers in the model's dtype; infinite where they are beyond it.

        chosen: True if the caller chose the dtype of the floats: Python has no other floats than
        float64.
        """
        if numbers.dtype == dtype:
            return numbers
        with np.errstate(over="ignore"):
            rounded = numbers.astype(dtype)
        if self._has_warned or not numbers.size:
            return rounded
        if numbers.dtype.kind == "f":
            if chosen and numbers.dtype.itemsize > dtype.itemsize:
                self._warn(f"{numbers.dtype} is rounded to the model's {dtype}")
        # Not every integer above 2²⁴ is a number of float32.
        elif (rounded != numbers).any():
            self._warn(f"integers are rounded to the model's {dtype}")
        return rounded

    def _warn(self, text: str) -> None:
        """Warn, with the place in the code that called this package."""
        self._has_warned = True
        level, frame = 1, sys._getframe()
        here = str(Path(__file__).parent)
        while frame.f_code.co_filename.startswith(here) and frame.f_back is not None:
            level, frame = level + 1, frame.f_back
        warnings.warn(text, UserWarning, stacklevel=level)
