"""Stage `export`: write the model as one ONNX file and prove that it agrees with torch.

Reads   models/model.safetensors, data/*.parquet, reports/metrics.json, reports/coefficients.csv
Writes  models/model.onnx, models/contract.json, reports/verification.json, reports/model_card.md
"""

import hashlib
import json

import numpy as np
import onnxruntime

from pipeline.columns.plan import read_plan
from pipeline.columns.queries import query_table
from pipeline.learning import weights
from pipeline.onnx_model import contract, exporter, golden, outputs, verification
from pipeline.onnx_model.conformance import GOLDEN_VECTORS
from pipeline.onnx_model.contract import MatrixContract
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.terms import terms
from pipeline.onnx_model.trial_rows import trial_rows
from pipeline.report.card import Facts, card
from pipeline.settings import csv_cells, files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.seeds import stream
from pipeline.tables import table


def main(params: Params) -> None:
    """Write the ONNX file if every check passes. Raises UserError with the checks that failed."""
    rows = table.read(files.TRAIN)
    features, targets = rows.features(params.data.targets), params.data.targets
    training = rows.columns(features)
    plan = read_plan()
    queries, _ = plan.encode(query_table(params.evaluate.queries, plan))
    module = weights.load(files.MODEL, params.model, len(features), len(targets))
    try:
        metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
        coefficients = csv_cells.read_csv(files.COEFFICIENTS)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: there is no such file; `dvc repro` makes it") from None

    expected = Expected(
        outputs.with_outputs(module, params, rows),
        features,
        targets,
        params.export.opset,
        params.export.rtol,
        params.export.atol,
    )
    model_terms = terms(params, expected, training, metrics)
    content = exporter.export(
        expected.module,
        len(features),
        expected.opset,
        contract.metadata(model_terms),
        [output.name for output in expected.outputs],
    )
    whole_contract = MatrixContract(
        **model_terms.model_dump(),
        sha256=hashlib.sha256(content).hexdigest(),
        onnxruntime=onnxruntime.__version__,
        golden=golden.vectors(expected, training, queries, params.seed),
    )

    random = stream(params.seed, "verification")
    tried = trial_rows(training, queries, expected.dtype, random)
    tried |= {GOLDEN_VECTORS: {"x": np.array(whole_contract.golden.inputs)}}
    checks = verification.verify(content, whole_contract, expected, tried)
    if message := verification.failure(checks, expected):
        # An app might pick up a file that is left from before.
        for path in (files.ONNX, files.CONTRACT, files.CARD):
            path.unlink(missing_ok=True)
        raise UserError(message)

    report = verification.report(content, checks, expected.opset, whole_contract.golden.derivation)
    held_out = table.row_count(files.TEST)
    facts = Facts(
        read_plan(), whole_contract, report, metrics, coefficients, len(training), held_out
    )
    files.write_bytes(files.ONNX, content)
    files.write_json(files.CONTRACT, whole_contract.model_dump(mode="json"))
    files.write_json(files.VERIFICATION, report)
    files.write_bytes(files.CARD, card(facts).encode())
    print(
        f"ONNX file verified: {len(checks)} checks, {sum(check.rows for check in checks)} rows;"
        f" the largest difference from torch is {max(check.used for check in checks):.0%} of what"
        " rounding allows"
    )


if __name__ == "__main__":
    runner.run(main)
