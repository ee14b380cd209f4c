"""One check of an ONNX file, and what it found."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check of an ONNX file, and what it found."""

    name: str
    problem: str | None = None
    """What is wrong, and where; None if nothing is."""
    rows: int = 0
    """Number of input rows that were tried."""
    bound: float | None = None
    """The largest difference that was allowed in any of them."""
    used: float = 0.0
    """The largest share of its bound that a difference took. Depends on the CPU: no file has it."""
    excess: float = math.inf
    """By how much the differences exceed their bounds; infinite if no larger bound would help."""
