"""Messages about a least-squares fit: columns that depend on each other, and the time it takes."""

import math
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from pipeline.exact.dependence import Dependent, NearlyDependent
from pipeline.exact.gram import Gram
from pipeline.exact.least_squares import Fit
from pipeline.exact.rounding import nearest
from pipeline.settings.keys.train_settings import Train
from pipeline.settings.messages import first_of

ROUNDING_FACTOR = 64
"""A residual of so many times the unit roundoff of the numbers counts as none."""

USUAL = {"lr": 0.01, "epochs": 100}
"""Values of the tutorial's job, which a job of one's own may well keep: they need no word."""

LARGEST_LOSS = 0.001
"""Of R², by rounding the weights, without a warning."""


def warn_without_effect(train: Train) -> None:
    """Print the warning of settings that do nothing, if there is one."""
    if (warning := without_effect(train)) is not None:
        print(f"warning: {warning}", file=sys.stderr)


def without_effect(train: Train) -> str | None:
    """Return a warning of settings that someone has changed and that do nothing; None if none do.

    Other settings that the optimizer does not have are refused when params.yaml is read.
    """
    if train.optimizer != "exact":
        return None
    changed = [f"train.{name}" for name, usual in USUAL.items() if getattr(train, name) != usual]
    if not changed:
        return None
    verb = "has" if len(changed) == 1 else "have"
    return (
        f"{' and '.join(changed)} {verb} no effect: with `optimizer: exact` the model is the closed"
        " form, which takes no steps; sgd, adam and lbfgs take them"
    )


def dependent(column: Dependent) -> str:
    """Return the formula of a column: `mix = 2·a − b + 5`, or words if it is a simple one."""
    if not column.is_exact:
        return f"{column.name} = {_sum(column.combination)}, to within rounding"
    if not column.combination:
        return f"{column.name} is zero in every row"
    (first, factor), *others = column.combination
    if not others and first is None:
        return f"{column.name} is {_number(factor)} in every row"
    if not others and factor == 1:
        return f"{column.name} is a copy of {first}"
    return f"{column.name} = {_sum(column.combination)}"


def nearly_dependent(columns: NearlyDependent) -> str:
    """Return a sentence that names the columns, at most eight of them."""
    names = first_of(columns.names, 8)
    if len(columns.names) == 1:
        return f"{names} is constant, to within the rounding of its numbers"
    return f"{names} say the same, to within the rounding of their numbers"


def exact_targets(fit: Fit, fitted_names: Sequence[str] | None = None) -> dict[str, str]:
    """Return a sentence for each target that is a combination of features, by its name.

    Exactly, or to within the rounding of the numbers. With as many coefficients as rows every
    target is one, which says nothing. fitted_names: what the sentences call the targets, such as
    log(price), if that is not their name.
    """
    sentences: dict[str, str] = {}
    if fit.degrees_of_freedom <= 0:
        return sentences
    gram = fit.equations.gram
    allowed = Fraction(ROUNDING_FACTOR * max(2.0**-53, *fit.roundoff, 0.0)) ** 2
    names = fit.targets if fitted_names is None else fitted_names
    for index, (target, column) in enumerate(zip(fit.targets, fit.equations.targets, strict=True)):
        name = names[index]
        squares = fit.squares[index]
        if squares > allowed * gram.variation(column):
            continue
        smallest = allowed * gram.inner_product(column, column)
        terms = tuple(
            (name, weight)
            for place, (name, weight) in enumerate(_weights(fit, index))
            if weight**2 * gram.inner_product(place, place) > smallest
        )
        if [name for name, _ in terms] in ([], [None]):
            constant = terms[0][1] if terms else Fraction(0)
            sentences[target] = f"{name} is {_number(constant)} in every row"
            continue
        shown = _sum((*terms[1:], terms[0]) if terms[0][0] is None else terms)
        sentences[target] = (
            f"{name} = {shown} in every row{', to within rounding' * bool(squares)}: a formula,"
            " not an estimate; if these features are known only once the target is, leave them out"
        )
    return sentences


def _weights(fit: Fit, index: int) -> list[tuple[str | None, Fraction]]:
    """Return the bias and the weights of a target: terms in the order of the Gram matrix."""
    weights = zip(fit.features, fit.weight[index].tolist(), strict=True)
    return [
        (None, Fraction(float(fit.bias[index]))),
        *((name, Fraction(weight)) for name, weight in weights),
    ]


def lost_by_rounding(
    gram: Gram,
    targets: Sequence[str],
    best: Sequence[Fraction],
    squares: Sequence[Fraction],
    dtype: str,
) -> Iterator[str]:
    """Yield a sentence for each target of which the weights, rounded to `dtype`, lose much of R².

    gram: of [1 features targets]. best, squares: the sum of squared errors of the solution, and of
    the rounded weights, for each target.
    """
    first = len(gram.exponents) - len(targets)
    for place, (target, least, rounded) in enumerate(zip(targets, best, squares, strict=True)):
        variation = gram.variation(first + place)
        lost = rounded - least
        if variation and lost > Fraction(LARGEST_LOSS) * variation:
            cure = "; set model.dtype: float64" if dtype == "float32" else ""
            yield (
                f"{target}: its weights, rounded to {dtype}, lose {float(lost / variation):.2g} of"
                f" R², because columns nearly depend on each other{cure}"
            )


def announce(features: int) -> None:
    """Print the approximate time of a fit if it is long: a minute for 850 features."""
    seconds = 1e-7 * features**3
    if seconds > 10:
        print(f"least squares of {features} features takes about {seconds:.0f} s")


def _sum(combination: Sequence[tuple[str | None, Fraction]]) -> str:
    """Return a combination of columns as a sum of at most six terms."""
    terms = [_term(name, factor) for name, factor in combination[:6]]
    text = " + ".join(terms).replace("+ −", "− ")
    more = len(combination) - len(terms)
    return text + (f" + {more} terms more" if more else "")


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
