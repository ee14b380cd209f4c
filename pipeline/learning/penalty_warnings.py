"""Warnings of penalties that leave nothing of the weights, or change nothing, or prove nothing."""

from collections.abc import Iterator
from fractions import Fraction

from pipeline.exact import least_squares, penalty_path
from pipeline.exact.dependence import Dependent
from pipeline.exact.penalties import PenalizedFit
from pipeline.learning import fit_messages

TINY = 1e-12
"""Only penalties below it, l1 beside the standard deviation of the target, can be lost in rounding
unless columns nearly say the same."""


def of_fit(fit: PenalizedFit) -> Iterator[str]:
    """Yield a sentence for each constant column, and for what is odd of the weights of a target.

    Weights are not proven if more than one solution may exist, or if the search came to no end.
    """
    for place, name in enumerate(fit.features, 1):
        if name in fit.dropped and not fit.gram.variation(place):
            total = fit.gram.inner_product(0, place)
            constant = Dependent(name, ((None, total / fit.gram.weight),) if total else ())
            yield f"{fit_messages.dependent(constant)}: its weight is 0"
    for place, target in enumerate(fit.targets):
        if (text := _of_target(fit, place)) is not None:
            yield f"{target}: {text}"


def _of_target(fit: PenalizedFit, place: int) -> str | None:
    penalty, certificate = fit.penalties[place], fit.certificates[place]
    answer = "the mean" if fit.intercept else "0"
    if penalty.l1 and not fit.nonzero[place]:
        table = fit.gram, fit.features, fit.targets, fit.intercept
        path = penalty_path.paths(*table, "cv", penalty.l2)[place]
        if len(path) == 1:
            return f"no column goes with it, so every weight is 0: the model answers {answer}"
        return (
            f"train.l1 {penalty.l1:g} is so large that every weight is 0, as from"
            f" {path[0].l1:.6g} on: the model answers {answer}, whatever the row; give a smaller"
            " number, or cv"
        )
    if not certificate.proven:
        return (
            "columns depend on each other, so other weights may do as well; these are at most"
            f" {certificate.gap:.2g} of the target's variation above the smallest penalized loss"
        )
    if penalty.l2 > penalty_path.LARGEST_L2:
        return (
            f"train.l2 {penalty.l2:g} leaves next to nothing of every weight: the model answers"
            f" about {answer}, whatever the row; give a number below {penalty_path.LARGEST_L2:,},"
            " or cv"
        )
    if _changes_nothing(fit, place):
        given = {"l1": penalty.l1, "l2": penalty.l2}
        shown = " and ".join(f"train.{name} {value:g}" for name, value in given.items() if value)
        return (
            f"with {shown} the weights are those of least squares without a penalty, to the last"
            " bit; give a larger number, or cv"
        )
    return None


def _changes_nothing(fit: PenalizedFit, place: int) -> bool:
    """Return True if the weights of a target are those of least squares, to the last bit."""
    penalty, column = fit.penalties[place], 1 + len(fit.features) + place
    variance = fit.gram.variation(column) / fit.gram.weight
    if penalty.l2 > TINY or Fraction(penalty.l1) ** 2 > Fraction(TINY) ** 2 * variance:
        return False
    plain = least_squares.fit(fit.gram, fit.features, fit.targets, fit.intercept)
    return not plain.dependent and bool((plain.weight[place] == fit.weight[place]).all())
