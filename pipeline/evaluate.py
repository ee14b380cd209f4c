"""Stage `evaluate`: measure the trained model and answer the query points.

Reads   models/model.safetensors, data/*.parquet, data/columns.json, data/summary.json,
        reports/history.csv, reports/path.csv; modules/, if model.module names a class there
Writes  reports/metrics.json, reports/coefficients.csv, reports/influence.csv,
        reports/predictions.csv, reports/largest_errors.csv, reports/plots/
"""

import sys

from pipeline.columns.plan import read_plan
from pipeline.columns.summary import read_summary
from pipeline.learning.line import load_line
from pipeline.learning.predictor import predictor
from pipeline.measures import influence
from pipeline.measures.evaluation import evaluate
from pipeline.pictures.plots import draw
from pipeline.settings import csv_cells, files, runner
from pipeline.settings.params import Params


def main(params: Params) -> None:
    """Write the metrics, the tables and the plots."""
    plan, summary = read_plan(), read_summary()
    saved = files.MODEL, params.model, len(plan.encoded_names), len(params.data.targets)
    line = load_line(*saved)
    evaluation = evaluate(params, plan, summary, line, predictor(line, *saved))
    for warning in evaluation.warnings():
        print(f"warning: {warning}", file=sys.stderr)
    files.write_json(files.METRICS, evaluation.metrics())
    csv_cells.write_csv(files.COEFFICIENTS, *evaluation.coefficients())
    influence.write(evaluation.diagnostics)
    csv_cells.write_csv(files.PREDICTIONS, *evaluation.predictions())
    csv_cells.write_csv(files.LARGEST_ERRORS, *evaluation.largest_errors())
    draw(files.PLOTS, *evaluation.pictured)


if __name__ == "__main__":
    runner.run(main)
