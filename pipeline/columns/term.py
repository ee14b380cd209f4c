"""Terms, learnt: further numbers that are made from the numbers of the features.

Each operation is rounded once, and takes the same steps on every x86-64 CPU.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.columns.column import Bools
from pipeline.columns.operands import Operand

Floats = NDArray[np.float64]

UNIT = 2.0**-52
"""A unit in the last place of a number near 1."""
LOG_UNITS = 4
"""How far a runtime's logarithm may be from ours, in units of the last place of the larger one."""


class LearntTerm(BaseModel):
    """A term with what was learnt of it from the training rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As it is written in data.terms, without needless blanks."""
    names: tuple[str, ...]
    """The names of its numbers."""

    @property
    @abstractmethod
    def operands(self) -> tuple[Operand, ...]:
        """Its features."""

    @abstractmethod
    def write(self, numbers: Sequence[Floats], out: Floats) -> None:
        """Write its numbers into `out`, [rows, names], column-major; without a warning.

        numbers: of each operand, [rows, columns]. NaN gives NaN.
        """

    def difference(self, numbers: Sequence[Floats], values: Floats) -> Floats | None:  # noqa: ARG002
        """Return how far another correct evaluation in float64 may be from `values`: [rows, names].

        None if it has the same bits everywhere. values: what `write` wrote for `numbers`.
        """
        return None

    def in_range(self, numbers: Sequence[Floats]) -> Bools | None:  # noqa: ARG002
        """Return True for each row in the range that the term was learnt from: [rows]; None: all.

        It is asked for terms of which the ranges of the features do not say it.
        """
        return None


class FunctionTerm(LearntTerm):
    """A logarithm or a square root."""

    kind: Literal["log", "sqrt"]
    of: Operand

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See LearntTerm.operands."""
        return (self.of,)

    def write(self, numbers: Sequence[Floats], out: Floats) -> None:
        """See LearntTerm.write."""
        from pipeline.exact import elementary  # with FLINT 30 ms, for logarithms alone

        values = numbers[0][:, 0]
        if self.kind == "log":
            out[:, 0] = elementary.log(values)
        else:
            with np.errstate(invalid="ignore"):
                np.sqrt(values, out=out[:, 0])

    def difference(self, numbers: Sequence[Floats], values: Floats) -> Floats | None:  # noqa: ARG002
        """See LearntTerm.difference: of a logarithm; a square root is IEEE's."""
        return LOG_UNITS * UNIT * np.abs(values) if self.kind == "log" else None


class PowerTerm(LearntTerm):
    """An integer power, correctly rounded."""

    kind: Literal["power"]
    of: Operand
    exponent: int

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See LearntTerm.operands."""
        return (self.of,)

    def write(self, numbers: Sequence[Floats], out: Floats) -> None:
        """See LearntTerm.write."""
        from pipeline.exact import powers

        out[:, 0] = powers.power(np.ascontiguousarray(numbers[0][:, 0]), self.exponent)

    def difference(self, numbers: Sequence[Floats], values: Floats) -> Floats | None:  # noqa: ARG002
        """See LearntTerm.difference: of products that are rounded one by one."""
        return self.exponent * UNIT * np.abs(values) if self.exponent > 2 else None


class ProductTerm(LearntTerm):
    """The products of the numbers of two features, each rounded once."""

    kind: Literal["product"]
    of: tuple[Operand, Operand]
    left_out: Annotated[int | None, Field(exclude_if=lambda place: place is None)] = None
    """The place of a product without a number: that of two reference levels."""

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See LearntTerm.operands."""
        return self.of

    def write(self, numbers: Sequence[Floats], out: Floats) -> None:
        """See LearntTerm.write."""
        left, right = numbers
        pairs = [(a, b) for a in range(left.shape[1]) for b in range(right.shape[1])]
        kept = [pair for place, pair in enumerate(pairs) if place != self.left_out]
        with np.errstate(all="ignore"):
            for place, (a, b) in enumerate(kept):
                np.multiply(left[:, a], right[:, b], out=out[:, place])


class SplineTerm(LearntTerm):
    """A natural cubic spline."""

    kind: Literal["spline"]
    of: Operand
    knots: tuple[float, ...]
    """Quantiles of the training rows, the smallest and the largest value among them."""

    @property
    def operands(self) -> tuple[Operand, ...]:
        """See LearntTerm.operands."""
        return (self.of,)

    def write(self, numbers: Sequence[Floats], out: Floats) -> None:
        """See LearntTerm.write."""
        from pipeline.exact import natural_spline

        out[:] = natural_spline.basis(numbers[0][:, 0], self.knots)

    def difference(self, numbers: Sequence[Floats], values: Floats) -> Floats | None:  # noqa: ARG002
        """See LearntTerm.difference: some CPUs add and multiply in one step."""
        from pipeline.exact import natural_spline

        return 8 * UNIT * natural_spline.magnitude(numbers[0][:, 0], self.knots)

    def in_range(self, numbers: Sequence[Floats]) -> Bools | None:
        """See LearntTerm.in_range: beyond its knots the curve is a straight line."""
        if self.of.part is None:  # the range of the column says it
            return None
        inside: Bools = (numbers[0][:, 0] >= self.knots[0]) & (numbers[0][:, 0] <= self.knots[-1])
        return inside


AnyTerm = Annotated[
    FunctionTerm | PowerTerm | ProductTerm | SplineTerm, Field(discriminator="kind")
]
