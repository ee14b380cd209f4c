"""The penalty of each target: the numbers in params.yaml, or what cross-validation chooses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.columns.summary import Summary
from pipeline.exact import penalty_path
from pipeline.exact.cross_validation import Scores, cross_validate
from pipeline.exact.penalties import Penalty
from pipeline.exact.penalty_path import PathWeights
from pipeline.learning import fold_checks, path_file, penalty_messages
from pipeline.learning.path_file import PairError, PenaltyPath
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_lines
from pipeline.settings.params import Params

MOST_TARGETS_SHOWN = 10


@dataclass(frozen=True)
class ChosenPenalties:
    """The penalties of a job.

    penalties: one for each target. paths: what they were chosen from, one for each target; empty if
    params.yaml has numbers.
    """

    penalties: tuple[Penalty, ...]
    paths: tuple[PenaltyPath, ...] = ()

    @classmethod
    def from_paths(cls, paths: Sequence[PenaltyPath]) -> "ChosenPenalties":
        """Return the penalties that are marked as chosen."""
        return cls(tuple(Penalty(path.l1, path.l2) for path in paths), tuple(paths))


def choose(params: Params, summary: Summary) -> ChosenPenalties:
    """Return the penalties of params.yaml, or choose them by the folds, and print the choice.

    Test rows have no part in it. Raises UserError if the folds cannot choose.
    """
    if not (by_folds := params.train.chosen_by_folds):
        return _of_numbers(params)
    fold_checks.check_choice(by_folds[0], summary)
    table = summary.train.gram, summary.features, summary.targets, params.model.bias
    penalty_messages.announce(
        by_folds, len(summary.features), len(summary.targets), len(summary.folds)
    )
    penalties = penalty_path.paths(*table, params.train.l1, params.train.l2)
    scores = cross_validate(
        [fold.test.gram for fold in summary.folds],
        *(*table[1:], penalties),
        training=[fold.training.gram for fold in summary.folds],
    )
    with_weights = [
        tuple(of_target.penalties[place] for place in of_target.path_of_best)
        for of_target in scores
    ]
    along = penalty_path.weights_along(*table, with_weights)
    choose = params.train.choose
    paths = [
        _path(target, by_folds[0], summary.features, of_target, weights, of_target.chosen(choose))
        for target, of_target, weights in zip(summary.targets, scores, along, strict=True)
    ]
    fewest_rows = min(fold.training.rows for fold in summary.folds)
    lines = [
        penalty_messages.chosen(
            *(path, len(summary.folds)),
            is_wide=len(summary.features) >= fewest_rows,
            gap=max(of_target.gap.max(), *(each.gap for each in weights.certificates)),
        )
        for path, of_target, weights in zip(paths, scores, along, strict=True)
    ]
    print("\n".join(first_lines(lines, MOST_TARGETS_SHOWN)))
    return ChosenPenalties.from_paths(paths)


def read(params: Params) -> ChosenPenalties:
    """Return the penalties that `train` has used.

    Raises UserError if the folds chose them and reports/path.csv does not say what.
    """
    if not (by_folds := params.train.chosen_by_folds):
        return _of_numbers(params)
    paths = path_file.read(by_folds[0])
    if tuple(path.target for path in paths) != params.data.targets:
        raise UserError(f"{files.PATH}: it is of other targets; `dvc repro` makes it again")
    return ChosenPenalties.from_paths(paths)


def _of_numbers(params: Params) -> ChosenPenalties:
    l1, l2 = params.train.l1, params.train.l2
    assert not isinstance(l1, str)
    assert not isinstance(l2, str)
    return ChosenPenalties((Penalty(l1, l2),) * len(params.data.targets))


def _path(
    target: str,
    penalty: Literal["l1", "l2"],
    features: tuple[str, ...],
    scores: Scores,
    along: PathWeights,
    chosen: int,
) -> PenaltyPath:
    other: Literal["l1", "l2"] = "l1" if penalty == "l2" else "l2"
    places = scores.path_of_best
    shown = set(places)
    return PenaltyPath(
        target=target,
        penalty=penalty,
        values=np.array([getattr(each, penalty) for each in along.penalties]),
        other=getattr(along.penalties[0], other),
        error=scores.mean[places],
        std_error=scores.std_error[places],
        weight=along.weight,
        bias=along.bias,
        features=features,
        best=places.index(scores.best),
        one_standard_error=places.index(scores.one_standard_error),
        chosen=places.index(chosen),
        other_pairs=tuple(
            PairError(each.l1, each.l2, float(scores.mean[place]), float(scores.std_error[place]))
            for place, each in enumerate(scores.penalties)
            if place not in shown
        ),
    )
