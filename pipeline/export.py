"""Stage `export`: write the model as one ONNX file and prove that it agrees with torch.

Reads   models/model.safetensors, data/columns.json, data/summary.json, data/sample.parquet,
        reports/metrics.json, reports/*.csv, reports/plots/;
        modules/ (model.module)
Writes  models/model.onnx, models/contract.json, reports/verification.json, reports/model_card.md,
        reports/report.html
"""

from pipeline.columns.plan import read_plan
from pipeline.columns.queries import query_table
from pipeline.columns.sample import read_sample
from pipeline.columns.summary import read_summary
from pipeline.learning import weights
from pipeline.onnx_model import onnx_file, outputs, verification
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.verification import TriedRows
from pipeline.report import facts, page
from pipeline.report.card import card
from pipeline.settings import files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def main(params: Params) -> None:
    """Write the ONNX file if every check passes. Raises UserError with the checks that failed."""
    plan, summary, targets = read_plan(), read_summary(), params.data.targets
    sample = read_sample(summary, plan, targets)
    rows = sample.training
    features = plan.encoded_names
    queries = query_table(params.evaluate.queries, plan, params.data.columns)
    module = weights.load(files.MODEL, params.model, len(features), len(targets))
    metrics = facts.read_metrics()

    training, _ = plan.encode(rows)
    expected = Expected(
        outputs.with_outputs(module, params, summary, training, plan.is_matrix, metrics),
        features,
        targets,
        params.export.opset,
        params.export.rtol,
        params.export.atol,
        None if plan.is_matrix else plan,
        params.export.outputs,
    )
    if plan.is_matrix:
        encoded_queries, _ = plan.encode(queries)
        made = onnx_file.of_matrix(
            params, expected, summary.train, training, encoded_queries, metrics
        )
    else:
        made = onnx_file.of_table(params, expected, summary.train, rows, queries, metrics)
    checks = verification.verify(made.content, made.contract, expected, made.trials)
    if message := verification.failure(checks, expected):
        # An app might pick up a file that is left from before.
        for path in (files.ONNX, files.CONTRACT, files.CARD, files.REPORT):
            path.unlink(missing_ok=True)
        raise UserError(message)

    tried = TriedRows(rows.num_rows, summary.train.table_rows)
    derivation = made.contract.golden.derivation
    report = verification.report(made.content, checks, expected.opset, derivation, tried)
    known = facts.gather(params, plan, summary, sample, made.contract, report, metrics)
    files.write_bytes(files.ONNX, made.content)
    files.write_json(files.CONTRACT, made.contract.model_dump(mode="json"))
    files.write_json(files.VERIFICATION, report)
    files.write_bytes(files.CARD, card(known).encode())
    files.write_bytes(files.REPORT, page.page(known).encode())
    print(
        f"ONNX file verified: {len(checks)} checks, {sum(check.rows for check in checks)} rows"
        f"{f' (with {tried})' if tried.tried < tried.of else ''};"
        f" the largest difference from torch is {max(check.used for check in checks):.0%} of what"
        " rounding allows"
    )


if __name__ == "__main__":
    runner.run(main)
