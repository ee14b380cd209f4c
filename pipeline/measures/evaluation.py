"""Evaluation of a trained model: everything that the reports of `evaluate` are made from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.blocks import TableFile
from pipeline.columns.plan import Plan
from pipeline.columns.queries import cells, query_table
from pipeline.columns.summary import Summary
from pipeline.compute.draws import Side
from pipeline.exact import least_squares
from pipeline.exact.least_squares import Fit
from pipeline.learning import chosen_penalties, fit_messages, huber_threshold
from pipeline.learning.line import Line
from pipeline.measures import (
    coefficients,
    diagnosis,
    folds,
    largest_errors,
    measuring,
    metrics,
    predictions,
)
from pipeline.measures.calibration import Calibration, of_held_out
from pipeline.measures.diagnostics import Diagnostics
from pipeline.measures.model_errors import Predictor
from pipeline.measures.partial_dependence import Dependences
from pipeline.measures.split import Split
from pipeline.settings import csv_cells, files
from pipeline.settings.params import GENERATE, Params
from pipeline.tables import row_groups

QUERIES_IN_METRICS = 10
"""Most queries whose predictions are in metrics.json; predictions.csv has all of them."""

Rows = Iterator[Sequence[Any]]


@dataclass(frozen=True)
class Evaluation:
    """A model on the rows that it was fitted to and on others, and beside the reference.

    line: the model, if it is linear. reference: the least-squares line of the training rows.
    test: None if no row is held out. exact_targets: a sentence for each target that the features
    explain without an error. query_cells: the raw values of each query; queries: [queries,
    encoded columns].
    """

    params: Params
    plan: Plan
    summary: Summary
    line: Line | None
    predict: Predictor
    reference: Fit
    train: Split
    test: Split | None
    calibration: Calibration | None
    dependences: Dependences
    diagnostics: Diagnostics
    exact_targets: Mapping[str, str]
    query_cells: Sequence[Sequence[Any]]
    queries: NDArray[np.float64]

    @cached_property
    def chosen(self) -> chosen_penalties.ChosenPenalties:
        """The penalties, and the path that they were chosen from."""
        return chosen_penalties.read(self.params)

    def warnings(self) -> list[str]:
        """Return what may be wrong with the table or the fit."""
        # With a penalty the columns that the reference leaves out share the weight with the others.
        is_penalized = self.params.train.penalized
        dependent = [] if is_penalized else coefficients.warnings(self.reference)
        of_folds = folds.warnings(self.params, self.summary)
        return [*dependent, *self.exact_targets.values(), *of_folds]

    @property
    def _own_unit(self) -> Predictor:
        return partial(self.plan.own_unit, targets=self.params.data.targets)

    @cached_property
    def _answers(self) -> list[Any]:
        """The answers to the queries, in the targets' own units."""
        answers = predictions.rounded(
            lambda x: self._own_unit(self.predict(x)), self.queries, self.params.model.dtype
        )
        return [csv_cells.shortest(row) for row in answers]

    def metrics(self) -> dict[str, Any]:
        """Return the content of metrics.json."""
        params, targets, reduction = self.params, self.params.data.targets, self._reduction
        test = {"test": metrics.of_model(self.test, self.line, reduction)} if self.test else {}
        return {
            "train": metrics.of_model(self.train, self.line, reduction),
            **test,
            **(self.calibration.in_metrics(targets) if self.calibration else {}),
            **folds.in_metrics(params, self.summary, self.chosen.penalties),
            **metrics.of_penalties(self.chosen.penalties, targets),
            **self.dependences.in_metrics(),
            "diagnostics": self.diagnostics.in_metrics(),
            "reference": metrics.of_reference(
                self.train, self.test, self.line, self.reference, reduction
            ),
            "prediction": {
                f"query_{number}": dict(zip(targets, row, strict=True))
                for number, row in enumerate(self._answers[:QUERIES_IN_METRICS], 1)
            },
        }

    @property
    def _reduction(self) -> str:
        return self.params.train.reduction

    def coefficients(self) -> tuple[Sequence[str], Rows]:
        """Return the header and the rows of coefficients.csv."""
        errors, dtype = self.diagnostics.errors, self.params.model.dtype
        given = self.line, self.reference, dtype, self.exact_targets, errors
        return coefficients.header(errors), coefficients.rows(*given, self.params.train.penalized)

    def predictions(self) -> tuple[Sequence[str], Rows]:
        """Return the header and the rows of predictions.csv."""
        intervals, dtype = None, self.params.model.dtype
        if self.calibration:
            fitted = self.predict(self.queries)
            intervals = self.calibration.around(fitted, dtype, self._own_unit)
        header = predictions.header(
            *(self.plan.features, self.params.data.targets),
            is_reference=self.params.train.has_exact_interval,
            has_interval=intervals is not None,
        )
        answered = self.query_cells, self.queries, self._answers, self.reference
        return header, predictions.rows(*answered, self._own_unit, intervals)

    def largest_errors(self) -> tuple[Sequence[str], Rows]:
        """Return the header and the rows of largest_errors.csv."""
        split, is_held_out = self.test or self.train, self.test is not None
        numbers = files.SOURCE_ROWS_TEST if is_held_out else files.SOURCE_ROWS
        are_here = any(row_groups.sizes_in(files.TRAIN))
        side: Side = "test" if is_held_out else "train"
        values: Callable[[Sequence[int]], largest_errors.Values]
        if are_here:
            values = partial(largest_errors.values_in, measuring.PATHS[side], self.plan)
        else:  # the errors are those of the sample
            drawn = measuring.drawn(self.summary, self.plan, self.params.data.targets)
            values = partial(largest_errors.values_of, drawn[side], self.plan)
        return largest_errors.header(self.plan.features), largest_errors.rows(
            *(self.params.data.targets, split, values),
            held_out=is_held_out,
            numbers=numbers if are_here else None,
        )

    @property
    def pictured(self) -> tuple[Any, ...]:
        """What `plots.draw` takes after the folder."""
        measured = self.train, self.test, self.line, self.reference, self.queries, self.predict
        return self.params, self.plan, *measured, self.chosen.paths, self.dependences.curves


def evaluate(
    params: Params, plan: Plan, summary: Summary, line: Line | None, predict: Predictor
) -> Evaluation:
    """Measure a model, in one pass over the rows. line: the model, if it is linear.

    Raises UserError if files are not of one result, or if a figure is beyond float64.
    """
    targets, features = params.data.targets, plan.encoded_names
    query_rows = query_table(params.evaluate.queries, plan, params.data.columns)
    queries, _ = plan.encode(query_rows)
    fit_messages.announce(len(features))
    blocks = TableFile(files.TRAIN, plan, targets).blocks
    loss = huber_threshold.loss_function(params, summary, blocks)
    reference = least_squares.fit(
        summary.train.gram, features, targets, params.model.bias, summary.roundoff(features)
    ).without_nearly_dependent()
    asked = diagnosis.asked(reference, params.data, line, plan.on_fitted_scale(targets))
    model = measuring.Model(plan, targets, predict, line is not None, loss, asked.diagnosis)
    train, test = measuring.splits(summary, model)
    # A table that is generated without noise is exact because its user asked for it.
    exact_targets = asked.formulas if params.data.source != GENERATE else {}
    return Evaluation(
        *(params, plan, summary, line, predict, reference, train, test),
        calibration=of_held_out(params, summary, model),
        dependences=Dependences.of(summary, model),
        diagnostics=Diagnostics(reference, asked, train.sums),
        exact_targets=exact_targets,
        query_cells=cells(query_rows, plan),
        queries=queries,
    )
