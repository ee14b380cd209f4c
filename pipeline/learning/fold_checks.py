"""Checks of the folds of the training rows: each can be fitted, and they can choose a penalty."""

from collections.abc import Iterator, Sequence

from pipeline.columns.part import Part
from pipeline.columns.summary import Fold, Summary
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of
from pipeline.settings.params import Params

LEAST_ROWS_OF_A_FIT = 3
"""Of two rows or fewer a line has no error that a penalty could make smaller."""
MOST_FOLDS_NAMED = 8


def check_choice(penalty: str, summary: Summary) -> None:
    """Raise UserError if the folds cannot choose a penalty. penalty: the key, such as l2."""
    problems, gap = without_rows(summary.folds), ""
    if len(summary.folds) < 2:
        problems = ["there are no two folds"]
    elif not problems:
        fold = min(summary.folds, key=lambda fold: fold.training.rows)
        if fold.training.rows >= LEAST_ROWS_OF_A_FIT:
            return
        rows = count(fold.training.rows, "row")
        problems = [f"only {rows} can train for fold {fold.number} of {len(summary.folds)}"]
    if not all(fold.training.rows for fold in summary.folds if fold.test.rows):
        gap = " or its gap to less"
    raise UserError(
        f"train.{penalty}: found cv, but {' and '.join(problems)} (of"
        f" {count(summary.train.rows, 'training row')}): the folds cannot choose; set data.folds to"
        f" fewer{gap}, give train.{penalty} a number, or bring more rows"
    )


def without_rows(folds: Sequence[Fold]) -> list[str]:
    """Return what is missing of folds that have no rows to test or to train on; empty if nothing.

    A split of few rows has such folds, and one in time whose gap is longer than the time before.
    """
    missing = {
        "no training row is in": [fold.number for fold in folds if not fold.test.rows],
        "no row is left to train for": [
            fold.number for fold in folds if fold.test.rows and not fold.training.rows
        ],
    }
    return [
        f"{what} {_named(numbers)} of {len(folds)}" for what, numbers in missing.items() if numbers
    ]


def too_few_rows(params: Params, summary: Summary) -> str | None:
    """Return which folds have fewer training rows than plain least squares fits numbers, or None.

    Columns that are constant in the training rows of a fold get the weight 0 there and do not
    count. With a penalty any rows have one solution.
    """
    if not params.train.is_least_squares or params.train.penalized:
        return None
    has_bias, features = params.model.bias, len(summary.features)
    few = [
        (fold, numbers)
        for fold in summary.folds_with_rows
        if (numbers := has_bias + sum(_varies(fold.training, features, has_bias)))
        > fold.training.rows
    ]
    if not few:
        return None
    fold, numbers = few[0]
    named = _named([fold.number for fold, _ in few])
    return (
        f"too few rows train for {named} of {len(summary.folds)} (fold {fold.number}:"
        f" {count(fold.training.rows, 'row')} for {numbers} numbers of the model)"
    )


def _varies(part: Part, features: int, has_bias: bool) -> Iterator[bool]:
    """Yield for each feature if it can have a weight in a fit to these rows."""
    for low, high in zip(part.smallest[:features], part.largest[:features], strict=True):
        yield low < high or (low != 0 and not has_bias)


def _named(numbers: Sequence[int]) -> str:
    folds = "folds" if len(numbers) > 1 else "fold"
    return f"{folds} {first_of([*map(str, numbers)], MOST_FOLDS_NAMED)}"
