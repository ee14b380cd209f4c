"""One check of an ONNX file, and its result."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check of an ONNX file, and its result."""

    name: str
    problem: str | None = None
    """The mistake and its place; None if the check passed."""
    rows: int = 0
    """Number of input rows that were tried."""
    bound: float | None = None
    """The largest difference that was allowed in any of these rows."""
    used: float = 0.0
    """The largest ratio of a difference to its bound. It depends on the CPU, so no file has it."""
    excess: float = math.inf
    """Largest excess of a difference over its bound; infinite if no larger bound would help."""
