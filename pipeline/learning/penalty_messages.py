"""Sentences about penalties: which one was chosen, and what it has done to the weights."""

from collections.abc import Iterator

from pipeline.exact.penalties import PenalizedFit
from pipeline.learning.path_file import PenaltyPath


def kind(l1: float, l2: float) -> str:
    """Return the usual name of least squares with these penalties."""
    if l1 and l2:
        return "elastic net"
    return "lasso" if l1 else "ridge" if l2 else "least squares"


def announce(penalty: str, features: int, folds: int) -> None:
    """Print the approximate time of a choice if it is long.

    For 259 columns and 5 folds a ridge took 4.5 s, a lasso 24 s.
    """
    seconds = (2.3e-7 if penalty == "l1" else 4.3e-8) * features**3 * (folds + 1)
    if seconds > 10:
        print(f"the choice of train.{penalty} for {features} columns takes about {seconds:.0f} s")


def two_digits(spread: float) -> str:
    """Return a standard deviation as people write it beside its mean: 12000, not 1.2e+04."""
    return f"{float(f'{spread:.2g}'):.6g}"


def chosen(path: PenaltyPath, folds: int) -> str:
    """Return the line that says which penalty the folds chose, and how good it is."""
    place, last = path.chosen, len(path.values) - 1
    error, spread = path.error[place], path.std_error[place]
    text = (
        f"train.{path.penalty}: cv chose {path.values[place]:.6g} for {path.target}: mean squared"
        f" error {error:.6g} ± {two_digits(spread)} on rows left out, in {folds} folds"
    )
    nonzero = int((path.weight[place] != 0).sum())
    if path.penalty == "l1" and nonzero < len(path.features):
        text += f"; {nonzero} of {len(path.features)} weights are not 0"
    ends = sorted((0, last), key=lambda end: path.values[end])
    if place == ends[0]:
        return f"{text}; the smallest of {last + 1} values: no penalty may do as well"
    if place == ends[1]:
        return f"{text}; the largest of {last + 1} values: the columns say next to nothing"
    return text


def warnings(fit: PenalizedFit) -> Iterator[str]:
    """Yield a sentence for each target of which no weight is left, or whose weights are not proven.

    Weights are not proven if more than one solution may exist, or if the search came to no end.
    """
    for target, penalty, certificate, nonzero in zip(
        fit.targets, fit.penalties, fit.certificates, fit.nonzero, strict=True
    ):
        if penalty.l1 and not nonzero:
            yield (
                f"{target}: train.l1 {penalty.l1:g} is so large that every weight is 0: the model"
                f" answers {'the mean' if fit.intercept else '0'}, whatever the row"
            )
        elif not certificate.proven:
            yield (
                f"{target}: columns depend on each other, so other weights may do as well; these"
                f" are at most {certificate.gap:.2g} of the target's variation above the smallest"
                " penalized loss"
            )
