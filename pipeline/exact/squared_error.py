"""The exact squared error of any linear model, from a Gram matrix."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.gram import Gram


def squared_error(
    gram: Gram,
    weight: NDArray[Any],
    bias: NDArray[Any],
    centre: NDArray[np.float64] | None = None,
) -> list[Fraction]:
    """Return the sum of squared errors of y = weight · (x − centre) + bias, exactly: [targets].

    gram: the Gram matrix of [1 x y]. weight: [targets, features]; bias: [targets]; centre:
    [features], by default zeros.
    """
    width, exponents, entries = weight.shape[1], gram.exponents, gram.entries
    totals = []
    for target, (slopes, offset) in enumerate(zip(weight.tolist(), bias.tolist(), strict=True)):
        factors = [Fraction(slope) for slope in slopes]
        constant = Fraction(offset)
        if centre is not None:
            constant -= sum(w * Fraction(c) for w, c in zip(factors, centre.tolist(), strict=True))
        # The error is a combination of the columns [1 x y]: its square is a sum of their products.
        combination = {0: constant} | dict(enumerate(factors, 1))
        combination[1 + width + target] = Fraction(-1)
        scaled = {i: c * Fraction(2) ** exponents[i] for i, c in combination.items() if c}
        common = math.lcm(*(value.denominator for value in scaled.values()))
        whole = {i: int(value * common) for i, value in scaled.items()}
        total = sum(a * sum(b * entries[i][j] for j, b in whole.items()) for i, a in whole.items())
        totals.append(Fraction(total, common**2))
    return totals
