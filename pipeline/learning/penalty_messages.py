"""Sentences about penalties that the folds choose."""

from collections.abc import Sequence

from pipeline.learning.path_file import PenaltyPath


def kind(l1: float, l2: float) -> str:
    """Return the usual name of least squares with these penalties."""
    if l1 and l2:
        return "elastic net"
    return "lasso" if l1 else "ridge" if l2 else "least squares"


def announce(penalties: Sequence[str], features: int, targets: int, folds: int) -> None:
    """Print the approximate time of a choice if it is long.

    penalties: l1, l2 or both. For 259 columns and 5 folds a choice of one took 5 s, of both 40 s;
    each target has its own.
    """
    seconds = (4.8e-8 if len(penalties) == 1 else 3.8e-7) * features**3 * (folds + 1) * targets
    if seconds > 10:
        table = f"{features} columns" + (f" and {targets} targets" if targets > 1 else "")
        print(f"the choice of {_names(penalties)} for {table} takes about {seconds:.0f} s")


def _names(penalties: Sequence[str]) -> str:
    return " and ".join(f"train.{penalty}" for penalty in penalties)


def two_digits(spread: float) -> str:
    """Return a standard deviation as people write it beside its mean: 12000, not 1.2e+04."""
    return f"{float(f'{spread:.2g}'):.6g}"


def chosen(path: PenaltyPath, folds: int, *, is_wide: bool = False, gap: float = 0.0) -> str:
    """Return the line that says which penalty the folds chose, and how good it is.

    is_wide: True if no more rows train for a fold than there are columns. gap: the largest duality
    gap of all solutions that were computed; 0 if all are proven.
    """
    place, is_pair = path.chosen, bool(path.other_pairs)
    error, spread = path.error[place], path.std_error[place]
    names = ("l1", "l2") if is_pair else (path.penalty,)
    values = " and ".join(f"{getattr(path, name):.6g}" for name in names)
    text = (
        f"{_names(names)}: cv chose {values} for {path.target}: mean squared error"
        f" {error:.6g} ± {two_digits(spread)} on rows left out, in {folds} folds"
    )
    nonzero = int((path.weight[place] != 0).sum())
    if path.penalty == "l1" and nonzero < len(path.features):
        text += f"; {nonzero} of {len(path.features)} weights are not 0"
    text += _at_an_end(path, is_wide)
    if gap:
        text += (
            "; not all fits that it was chosen from are proven: the penalized loss is at most"
            f" {gap:.2g} of the target's variation above the smallest one"
        )
    return text


def _at_an_end(path: PenaltyPath, is_wide: bool) -> str:
    """Return a clause on the choice if it is at an end of what it was chosen from, else nothing."""
    value, count = path.values[path.chosen], len(path.values)
    if count == 1:  # the path of l1 when nothing could be larger than 0
        return f"; nothing in the columns goes with {path.target}"
    if value == path.values.max():
        which = f"the largest of {count} values" if not path.other_pairs else "the largest l1"
        if path.best == path.chosen:
            return f"; {which}: the columns say next to nothing"
        best = path.values[path.best]
        return f"; {which}: its error is within one standard error of the smallest, at {best:.6g}"
    if value > path.values.min():
        is_lasso = path.other_pairs and not path.l2
        return "; a lasso alone, with train.l2 0.0, does as well" if is_lasso else ""
    which = "the smallest l1" if path.other_pairs else f"the smallest of {count} values"
    if is_wide:  # the values end far above 0, and without a penalty there is no single solution
        return f"; {which}: a smaller number may do as well"
    other = "no penalty"
    if path.other:
        remaining = "ridge" if path.penalty == "l1" else "lasso"
        other = f"a {remaining} alone, with train.{path.penalty} 0.0,"
    return f"; {which}: {other} may do as well"
