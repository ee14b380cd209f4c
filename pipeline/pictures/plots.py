"""Plots of a result: choose the plots that show something, and draw them into one folder."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan
from pipeline.exact.least_squares import Fit
from pipeline.learning.line import Line
from pipeline.learning.path_file import PenaltyPath
from pipeline.measures.model_errors import Predictor
from pipeline.measures.partial_dependence import Dependence
from pipeline.measures.split import Split
from pipeline.pictures import (
    coefficients_plot,
    dependence_plot,
    fit_plot,
    influence_plot,
    lettering,
    loss_plot,
    path_plot,
    residual_plots,
)
from pipeline.settings import csv_cells, files
from pipeline.settings.params import Params


def draw(
    folder: Path,
    params: Params,
    plan: Plan,
    train: Split,
    test: Split | None,
    line: Line | None,
    reference: Fit,
    queries: NDArray[np.float64],
    predict: Predictor,
    paths: Sequence[PenaltyPath] = (),
    curves: Sequence[Dependence] = (),
) -> None:
    """Draw the plots that show something for this job into `folder`; remove the others.

    line: the model, if it is linear. queries: encoded, [queries, encoded names]. paths: of the
    penalties that the folds chose from, one for each target. curves: of a model that is not linear,
    over its most important columns.
    """
    targets, features = params.data.targets, reference.features
    lettering.warn_of_boxes([*targets, *features])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    _draw_loss(folder / "loss.svg", params, train, test)
    deviations = train.part.gram.deviations()[: len(features)]
    if paths and features:
        path_plot.draw(folder / "path.svg", paths, deviations)
    splits = {"training rows": train} | ({"rows held out": test} if test else {})
    if sum(split.rows for split in splits.values()) >= residual_plots.LEAST_ROWS_DRAWN:
        residual_plots.predicted_and_actual(
            folder / "predicted.svg", splits, plan.on_fitted_scale(targets)
        )
        residual_plots.residuals(folder / "residuals.svg", splits, plan.on_fitted_scale(targets))
        residual_plots.quantiles(folder / "quantiles.svg", splits, plan.on_fitted_scale(targets))
        # There is none of a fit without errors: no row pulls it.
        if files.INFLUENCE.is_file() and (rows := influence_plot.read(files.INFLUENCE)):
            of_fit = reference.rows, reference.rank
            influence_plot.draw(folder / "influence.svg", rows, *of_fit)
    # Over a category a curve would show only 0 and 1.
    only = plan.columns[0] if len(features) == 1 and not plan.terms else None
    is_date = isinstance(only, DateColumn) and only.parts == ("days",)
    if only is not None and (is_date or isinstance(only, NumberColumn)):
        truth = fit_plot.true_function(params.data)
        fit_plot.draw(
            *(folder / "fit.svg", train, only.name, targets, queries, predict, truth),
            is_date=is_date,
            own_unit=partial(plan.own_unit, targets=targets),
        )
    elif line is not None and features:
        coefficients_plot.draw(
            *(folder / "coefficients.svg", reference, line.weight, deviations, plan),
            penalized=params.train.penalized,
        )
    elif curves:
        dependence_plot.draw(folder / "dependence.svg", curves, plan.on_fitted_scale(targets))


def _draw_loss(path: Path, params: Params, train: Split, test: Split | None) -> None:
    history = csv_cells.read_csv(files.HISTORY)
    if len(history) < 2:  # `exact` has one epoch, and a curve of one point shows nothing
        return
    # A sum over many training rows cannot be compared with a sum over few rows held out: then each
    # is divided by its number of errors.
    per_error = params.train.reduction == "sum" and test is not None
    train_errors, test_errors = 1.0, 1.0
    if per_error and test is not None:
        train_errors, test_errors = float(train.size), float(test.size)
    loss_plot.draw(
        path,
        [float(row["loss"]) / train_errors for row in history],
        [float(row["test_loss"]) / test_errors for row in history] if test else None,
        _name_of_loss(params, per_error),
    )


def _name_of_loss(params: Params, per_error: bool) -> str:
    """Return the name of the losses in the plot. per_error: they are means, although a sum."""
    kind = params.train.loss_kind
    if per_error:
        return kind.mean_error
    if kind.is_squared:
        return "loss"
    return f"loss ({params.train.reduction} of the {kind.errors})"
