"""Stage `evaluate`: measure the trained model and answer the query points.

Reads   models/model.safetensors, data/*.parquet, data/columns.json, data/summary.json,
        reports/history.csv, reports/path.csv; modules/, if model.module names a class there
Writes  reports/metrics.json, reports/coefficients.csv, reports/influence.csv,
        reports/predictions.csv, reports/largest_errors.csv, reports/plots/
"""

import sys
from functools import partial

from pipeline.columns import plan
from pipeline.columns.blocks import TableFile
from pipeline.columns.queries import cells, query_table
from pipeline.columns.summary import read_summary
from pipeline.exact import least_squares
from pipeline.learning import chosen_penalties, fit_messages, huber_threshold
from pipeline.learning.line import load_line
from pipeline.learning.predictor import predictor
from pipeline.report import (
    coefficients,
    diagnosis,
    folds,
    influence,
    largest_errors,
    measuring,
    metrics,
    penalty,
    predictions,
)
from pipeline.report.calibration import of_held_out
from pipeline.report.diagnostics import Diagnostics
from pipeline.report.partial_dependence import Dependences
from pipeline.report.plots import draw
from pipeline.settings import csv_cells, files, runner
from pipeline.settings.params import GENERATE, Params

QUERIES_IN_METRICS = 10
"""Most queries whose predictions are in metrics.json; predictions.csv has all of them."""


def main(params: Params) -> None:
    """Write the metrics, the coefficients, the predictions and the plots."""
    targets, reduction, dtype = params.data.targets, params.train.reduction, params.model.dtype
    columns, summary = plan.read_plan(), read_summary()
    features = columns.encoded_names
    query_rows = query_table(params.evaluate.queries, columns, params.data.columns)
    queries, _ = columns.encode(query_rows)
    saved = files.MODEL, params.model, len(features), len(targets)
    line = load_line(*saved)
    predict = predictor(line, *saved)

    fit_messages.announce(len(features))
    loss = huber_threshold.loss_function(
        params, summary, TableFile(files.TRAIN, columns, targets).blocks
    )
    reference = least_squares.fit(
        summary.train.gram, features, targets, params.model.bias, summary.roundoff(features)
    ).without_nearly_dependent()
    # A table that is generated without noise is exact because its user asked for it.
    is_own = params.data.source != GENERATE
    asked = diagnosis.asked(reference, params.data, line, columns.on_fitted_scale(targets))
    exact_targets = asked.formulas if is_own else {}
    model = measuring.Model(columns, targets, predict, line is not None, loss, asked.diagnosis)
    train, test = measuring.splits(summary, model)
    calibration = of_held_out(params, summary, model)
    dependences = Dependences.of(summary, model)
    diagnosed = Diagnostics(reference, asked, train.sums)
    chosen, penalized = chosen_penalties.read(params), params.train.penalized
    # With a penalty the columns that the reference leaves out share the weight with the others.
    dependent = [] if penalized else coefficients.warnings(reference)
    for warning in (*dependent, *exact_targets.values(), *folds.warnings(params, summary)):
        print(f"warning: {warning}", file=sys.stderr)
    own_unit = partial(columns.own_unit, targets=targets)
    answers = predictions.rounded(lambda x: own_unit(predict(x)), queries, dtype)
    predicted = [csv_cells.shortest(row) for row in answers]
    intervals = calibration.around(predict(queries), dtype, own_unit) if calibration else None

    files.write_json(
        files.METRICS,
        {
            "train": metrics.of_model(train, line, reduction),
            **({"test": metrics.of_model(test, line, reduction)} if test else {}),
            **(calibration.in_metrics(targets) if calibration else {}),
            **folds.in_metrics(params, summary, chosen.penalties),
            **penalty.in_metrics(chosen.penalties, targets),
            **dependences.in_metrics(),
            "diagnostics": diagnosed.in_metrics(),
            "reference": metrics.of_reference(train, test, line, reference, reduction),
            "prediction": {
                f"query_{number}": dict(zip(targets, row, strict=True))
                for number, row in enumerate(predicted[:QUERIES_IN_METRICS], 1)
            },
        },
    )
    csv_cells.write_csv(
        files.COEFFICIENTS,
        coefficients.header(diagnosed.errors),
        coefficients.rows(line, reference, dtype, exact_targets, diagnosed.errors, penalized),
    )
    influence.write(diagnosed)
    csv_cells.write_csv(
        files.PREDICTIONS,
        predictions.header(columns.features, targets, has_interval=calibration is not None),
        predictions.rows(
            cells(query_rows, columns), queries, predicted, reference, own_unit, intervals
        ),
    )
    csv_cells.write_csv(
        files.LARGEST_ERRORS,
        largest_errors.header(columns.features),
        largest_errors.rows(columns, targets, test or train, held_out=test is not None),
    )
    pictured = train, test, line, reference, queries, predict, chosen.paths, dependences.curves
    draw(files.PLOTS, params, columns, *pictured)


if __name__ == "__main__":
    runner.run(main)
