"""Messages about a least-squares fit: columns that depend on each other, and the time it takes."""

import math
from decimal import Decimal
from fractions import Fraction

from pipeline.exact.dependence import Dependent, NearlyDependent
from pipeline.exact.rounding import nearest
from pipeline.settings.messages import first_of


def dependent(column: Dependent) -> str:
    """Return the formula of a column: `mix = 2·a − b + 5`, or words if it is a simple one."""
    if not column.combination:
        return f"{column.name} is zero in every row"
    (first, factor), *others = column.combination
    if not others and first is None:
        return f"{column.name} is {_number(factor)} in every row"
    if not others and factor == 1:
        return f"{column.name} is a copy of {first}"
    terms = [_term(name, factor) for name, factor in column.combination[:6]]
    text = " + ".join(terms).replace("+ −", "− ")
    more = len(column.combination) - len(terms)
    return f"{column.name} = {text}" + (f" + {more} terms more" if more else "")


def nearly_dependent(columns: NearlyDependent) -> str:
    """Return a sentence that names the columns, at most eight of them."""
    names = first_of(columns.names, 8)
    if len(columns.names) == 1:
        return f"{names} is constant, to within the rounding of its numbers"
    return f"{names} say the same, to within the rounding of their numbers"


def announce(features: int) -> None:
    """Print the approximate time of a fit if it is long: a minute for 850 features."""
    seconds = 1e-7 * features**3
    if seconds > 10:
        print(f"least squares of {features} features takes about {seconds:.0f} s")


def _term(name: str | None, factor: Fraction) -> str:
    sign = "−" if factor < 0 else ""
    if name is None:
        return sign + _number(abs(factor))
    return f"{sign}{name}" if abs(factor) == 1 else f"{sign}{_number(abs(factor))}·{name}"


def _number(value: Fraction) -> str:
    rounded = nearest(value, "float64")
    if value and (rounded == 0 or math.isinf(rounded)):  # beyond what float64 holds
        return f"{Decimal(value.numerator) / Decimal(value.denominator):.6g}"
    return f"{rounded:g}"
