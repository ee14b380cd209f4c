"""Stage `export`: write the model as one ONNX file and prove that it agrees with torch.

Reads   models/model.safetensors, data/*.parquet, reports/metrics.json, reports/coefficients.csv
Writes  models/model.onnx, models/contract.json, reports/verification.json, reports/model_card.md
"""

import hashlib
import json
import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
from google.protobuf.message import Message
from numpy.typing import NDArray
from torch import nn

from pipeline.learning import rounding_bound, weights
from pipeline.learning.prediction import predict
from pipeline.onnx_model import contract, structure_checks
from pipeline.onnx_model.answer_checks import Check, Expected
from pipeline.onnx_model.contract import Contract, Terms, Vectors
from pipeline.onnx_model.outputs import Answers, answering, line_of
from pipeline.report.card import Facts, card
from pipeline.settings import files, ids, runner
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.seeds import stream
from pipeline.tables import table
from pipeline.tables.queries import query_rows

# torch tells of every torchvision operator that it does not find, and both of converting to an
# opset that was asked for.
for _name in (
    "torch.onnx._internal.exporter._registration",
    "torch.onnx._internal.exporter._compat",
    "onnxscript.version_converter",
):
    logging.getLogger(_name).setLevel(logging.ERROR)


def export(
    module: nn.Module,
    features: int,
    opset: int,
    metadata: Mapping[str, str],
    outputs: Sequence[str] = ("y",),
) -> bytes:
    """The module as the bytes of one ONNX file: x [batch, features] to y [batch, targets].

    outputs: the names of what it answers, if that is more than y.
    The same module and metadata give the same bytes: source paths and the build of torch, which
    the exporter writes into the file, are taken out.
    Raises UserError if torch cannot express the module in `opset`.
    """
    # Two rows: an example of one would let a batch size of 1 pass for a constant.
    example = torch.zeros(2, features, dtype=next(module.parameters()).dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)
        try:
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                opset_version=opset,
                input_names=["x"],
                output_names=outputs,
                dynamic_shapes=({0: "batch"},),
                external_data=False,
                # It would leave out a bias of zeros and write equal tensors once, and of a linear
                # model every number must be there.
                optimize=line_of(module) is None,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise UserError(f"export.opset: torch cannot write this model: {error}") from error
    assert program is not None
    proto = program.model_proto
    _strip(proto)
    proto.producer_version = torch.__version__.split("+")[0]
    for key, value in sorted(metadata.items()):
        proto.metadata_props.add(key=key, value=value)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _strip(message: Message) -> None:
    """Take the exporter's notes out of a protobuf message and all that it holds."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in [value] if isinstance(value, Message) else value:
                _strip(part)


def terms(
    params: Params,
    expected: Expected,
    training: NDArray[np.float64],
    metrics: Mapping[str, Any],
) -> Terms:
    """What the file says of itself. training: [rows, features]; metrics: those of metrics.json."""
    dtype = expected.precision
    return Terms(
        version=1,
        input=contract.Input(
            name="x",
            dtype=dtype,
            shape=("batch", len(expected.features)),
            features=contract.features(expected.features, training, dtype),
        ),
        outputs=expected.outputs,
        opset=expected.opset,
        ir_version=structure_checks.IR_VERSION,
        source=contract.Source(
            training_id=ids.trained_by(files.MODEL),
            md5=ids.md5s([str(path) for path in (files.TRAIN, files.TEST, files.MODEL)]),
            params=ids.stage_params("generate", params) | ids.stage_params("train", params),
        ),
        # r2 of rows whose targets do not vary does not exist.
        test_metrics={k: v for k, v in metrics.get("test", {}).items() if v is not None},
    )


def vectors(
    expected: Expected, training: NDArray[np.float64], queries: NDArray[np.float64], seed: int
) -> Vectors:
    """The golden vectors. training: [rows, features]; queries likewise."""
    module, dtype = expected.module, expected.precision
    answers = module if isinstance(module, Answers) else None
    interval = answers.interval if answers else None
    low, high = training.min(axis=0), training.max(axis=0)
    line = line_of(module)
    x = contract.hard_rows(
        low, high, queries, line, interval, dtype, stream(seed, "golden vectors")
    )
    if line is None:
        y = predict(answers.module if answers else module, x)
        derivation = contract.OTHER + rounding_bound.DERIVATION
    else:
        y, derivation = contract.answers(line, x, dtype), contract.LINEAR
    right = [y]
    if line is not None and interval is not None:
        right += contract.ends(line, interval, x, dtype)
        derivation += contract.ENDS
    if answers and answers.bounded:
        smallest, largest = low.astype(dtype), high.astype(dtype)
        right.append(((x >= smallest) & (x <= largest)).all(axis=1, keepdims=True).astype("f8"))
        derivation += contract.IN_RANGE
    bounds = expected.allowed(x, y)
    answered = np.flatnonzero(np.isfinite(np.hstack([*right, *bounds])).all(axis=1))
    chosen = answered[: contract.VECTORS]
    if not len(chosen):
        raise UserError(
            f"model.dtype: every answer is near to or beyond the largest {dtype}, and none can be"
            " checked; scale the targets, or use float64"
        )
    names = [output.name for output in expected.outputs]
    return Vectors(
        inputs=x[chosen].tolist(),
        outputs={name: of[chosen].tolist() for name, of in zip(names, right, strict=True)},
        bounds={name: of[chosen].tolist() for name, of in zip(names, bounds, strict=True)},
        derivation=derivation,
    )


def report(content: bytes, checks: list[Check], params: Params, derivation: str) -> dict[str, Any]:
    """The content of verification.json: for which file, what was tried, what was allowed and why.

    derivation: where the bounds come from, as contract.json says it.
    """
    return {
        "allowed": derivation,
        "model_md5": hashlib.md5(content).hexdigest(),
        "checks": [
            {"name": check.name, "rows": check.rows, "bound": check.bound} for check in checks
        ],
        "opset": params.export.opset,
        "onnxruntime": onnxruntime.__version__,
    }


def _cure(checks: Sequence[Check], expected: Expected) -> str:
    """Advice for differences that are small; empty if no setting helps."""
    failed = [check for check in checks if check.problem]
    excess = max(check.excess for check in failed)
    if line_of(expected.module) is not None or not math.isfinite(excess):
        return ""
    enough = float(f"{(expected.atol + excess) * 2:.0e}")
    return (
        "\nThe differences are small, but more than rounding explains: onnxruntime computes some"
        " function of this model less exactly than torch. If that is exact enough for you, set"
        f" export.atol to {enough:g} (it is {expected.atol:g}): how far answers may be apart"
        " beyond rounding"
    )


def main(params: Params) -> None:
    """Write the ONNX file if every check holds; else say which do not."""
    targets = params.data.targets
    rows = table.read(files.TRAIN)
    features = rows.features(targets)
    module = weights.load(files.MODEL, params.model, len(features), len(targets))
    training = rows.columns(features)
    queries = query_rows(params.evaluate.queries, features)
    try:
        metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
        coefficients = files.read_csv(files.COEFFICIENTS)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: there is no such file; `dvc repro` makes it") from None
    wanted = params.export
    expected = Expected(
        answering(module, params, rows), features, targets, wanted.opset, wanted.rtol, wanted.atol
    )
    its_terms = terms(params, expected, training, metrics)
    content = export(
        expected.module,
        len(features),
        wanted.opset,
        contract.metadata(its_terms),
        [output.name for output in expected.outputs],
    )
    golden = vectors(expected, training, queries, params.seed)
    inputs = structure_checks.inputs(
        training, queries, expected.dtype, stream(params.seed, "verification")
    ) | {structure_checks.GOLDEN: np.array(golden.inputs)}
    checks = structure_checks.verify(content, expected, inputs)
    if not any(check.problem for check in checks):
        checks.append(structure_checks.conforms(content, golden))
        if loose := contract.loose(its_terms, golden):
            checks.append(Check("bounds of the golden vectors", loose))
    if problems := [f"{check.name}: {check.problem}" for check in checks if check.problem]:
        # No file is better than one that an app might pick up.
        for path in (files.ONNX, files.CONTRACT, files.CARD):
            path.unlink(missing_ok=True)
        raise UserError(
            f"the ONNX file failed {len(problems)} of {len(checks)} checks and was not written:\n  "
            + "\n  ".join(problems)
            + _cure(checks, expected)
        )
    files.write_bytes(files.ONNX, content)
    whole = Contract(
        **its_terms.model_dump(),
        sha256=hashlib.sha256(content).hexdigest(),
        onnxruntime=onnxruntime.__version__,
        golden=golden,
    )
    files.write_json(files.CONTRACT, whole.model_dump(mode="json"))
    told = report(content, checks, params, golden.derivation)
    files.write_json(files.VERIFICATION, told)
    held_out = table.row_count(files.TEST)
    facts = Facts(whole, told, metrics, coefficients, len(training), held_out)
    files.write_bytes(files.CARD, card(facts).encode())
    print(
        f"ONNX file verified: {len(checks)} checks, {sum(check.rows for check in checks)} rows;"
        f" the largest difference from torch is {max(check.used for check in checks):.0%} of what"
        " rounding allows"
    )


if __name__ == "__main__":
    runner.run(main)
