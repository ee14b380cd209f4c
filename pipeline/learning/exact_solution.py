"""The exact solution that params.yaml asks for: plain least squares, or with penalties."""

import sys
from collections.abc import Sequence

from pipeline.columns.summary import Summary
from pipeline.exact import least_squares, penalties
from pipeline.exact.least_squares import Fit
from pipeline.exact.penalties import PenalizedFit, Penalty
from pipeline.learning import fit_messages, penalty_warnings
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_lines
from pipeline.settings.params import Params

MOST_WARNINGS_SHOWN = 10


def least_squares_solution(params: Params, summary: Summary) -> Fit:
    """Return the solution without penalties; dependent columns get weight 0, with a warning.

    Raises UserError if columns depend on others and train.dependent is refuse.
    """
    fit = _unpenalized(params, summary)
    if params.train.dependent == "refuse":
        _refuse_dependent(fit, penalized=False)
    fit = fit.without_nearly_dependent()
    _warn([f"{fit_messages.dependent(column)}: its weight is 0" for column in fit.dependent])
    return fit


def penalized_solution(params: Params, summary: Summary, chosen: Sequence[Penalty]) -> PenalizedFit:
    """Return the solution with a penalty for each target.

    Columns that depend on each other are no trouble: the penalty says how they share the weight.
    Raises UserError if there are any and train.dependent is refuse.
    """
    if params.train.dependent == "refuse":
        _refuse_dependent(_unpenalized(params, summary), penalized=True)
    fit = penalties.fit(
        summary.train.gram, summary.features, summary.targets, params.model.bias, chosen
    )
    _warn(list(penalty_warnings.of_fit(fit)))
    return fit


def _unpenalized(params: Params, summary: Summary) -> Fit:
    features = summary.features
    return least_squares.fit(
        summary.train.gram,
        features,
        summary.targets,
        params.model.bias,
        roundoff=summary.roundoff(features),
    )


def _warn(warnings: Sequence[str]) -> None:
    for warning in first_lines(warnings, MOST_WARNINGS_SHOWN):
        print(f"warning: {warning}", file=sys.stderr)


def _refuse_dependent(fit: Fit, *, penalized: bool) -> None:
    """Raise UserError if columns depend on others, exactly or to within their rounding."""
    if fit.dependent:
        sentences = [fit_messages.dependent(column) for column in fit.dependent]
        problem = "has more than one solution, because columns say the same as others"
        to_leave_out, result = "them", "gives them the weight 0"
    elif fit.nearly_dependent:
        sentences = [fit_messages.nearly_dependent(columns) for columns in fit.nearly_dependent]
        problem = (
            "would fit the rounding of the numbers, because columns say the same as others to"
            " within it"
        )
        to_leave_out, result = "one of them", "gives the last of them the weight 0"
    else:
        return
    if penalized:
        problem = f"without its penalty {problem}"
        result = "lets the penalty share the weight among them"
    shown = "\n  ".join(first_lines(sentences, MOST_WARNINGS_SHOWN))
    raise UserError(
        f"train.optimizer: exact {problem}:\n  {shown}\nname data.features without {to_leave_out},"
        f" or set train.dependent to drop, which {result}"
    )
