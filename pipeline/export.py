"""Stage `export`: write the model as one ONNX file and prove that it agrees with torch.

Reads   models/model.safetensors, data/*.parquet, reports/metrics.json
Writes  models/model.onnx, models/contract.json, reports/verification.json
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
from google.protobuf.message import Message
from numpy.typing import NDArray
from torch import nn

from pipeline import UserError, contract, files, lineage, model, stage, table, verification
from pipeline.contract import Contract, Terms, Vectors
from pipeline.params import Params
from pipeline.streams import stream
from pipeline.verification import Check, Expected

# torch tells of every torchvision operator that it does not find, and onnxscript of converting
# to an opset that was asked for.
for _name in ("torch.onnx._internal.exporter._registration", "onnxscript.version_converter"):
    logging.getLogger(_name).setLevel(logging.ERROR)


def export(module: nn.Module, features: int, opset: int, metadata: Mapping[str, str]) -> bytes:
    """The module as the bytes of one ONNX file: x [batch, features] to y [batch, targets].

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
                output_names=["y"],
                dynamic_shapes=({0: "batch"},),
                external_data=False,
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


def terms(params: Params, features: Sequence[str], training: NDArray[np.float64]) -> Terms:
    """What the file says of itself. training: [rows, features]."""
    dtype = params.model.dtype
    try:
        metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{files.METRICS}: there is no such file; `dvc repro` makes it") from None
    return Terms(
        version=1,
        input=contract.Input(
            name="x",
            dtype=dtype,
            features=contract.features(features, training.min(axis=0), training.max(axis=0), dtype),
        ),
        outputs=(
            contract.Output(
                name="y", meaning="prediction", dtype=dtype, targets=params.data.targets
            ),
        ),
        opset=params.export.opset,
        ir_version=verification.IR_VERSION,
        source=contract.Source(
            training_id=lineage.trained_by(files.MODEL),
            md5=lineage.md5s([str(path) for path in (files.TRAIN, files.TEST, files.MODEL)]),
            params=lineage.stage_params("generate", params) | lineage.stage_params("train", params),
        ),
        test_metrics=metrics.get("test", {}),
    )


def vectors(
    module: nn.Module,
    params: Params,
    training: NDArray[np.float64],
    queries: NDArray[np.float64],
) -> Vectors:
    """The golden vectors. training: [rows, features]; queries likewise."""
    dtype = params.model.dtype
    line = model.coefficients(module)
    x = contract.hard_rows(
        training.min(axis=0),
        training.max(axis=0),
        queries,
        line,
        dtype,
        stream(params.seed, "golden vectors"),
    )
    bounds = model.rounding_bound(module, x)
    if line is None or bounds is None:
        y = model.predict(module, x)
        bounds = params.export.atol + params.export.rtol * np.abs(y)
        derivation = contract.OTHER
    else:
        y, derivation = contract.answers(line, x, dtype), contract.LINEAR
    answered = np.isfinite(np.hstack([y, bounds])).all(axis=1)
    x, y, bounds = x[answered], y[answered], bounds[answered]
    return Vectors(
        inputs=x.tolist(),
        outputs={"y": y.tolist()},
        bounds={"y": bounds.tolist()},
        derivation=derivation,
    )


def report(content: bytes, checks: list[Check], params: Params) -> dict[str, Any]:
    """The content of verification.json: for which file, what was tried, what was allowed."""
    return {
        "model_md5": hashlib.md5(content).hexdigest(),
        "checks": [
            {"name": check.name, "rows": check.rows, "bound": check.bound} for check in checks
        ],
        "opset": params.export.opset,
        "onnxruntime": onnxruntime.__version__,
    }


def main(params: Params) -> None:
    """Write the ONNX file if every check holds; else say which do not."""
    targets = params.data.targets
    rows = table.read(files.TRAIN)
    features = rows.features(targets)
    module = model.load(files.MODEL, params.model, len(features), len(targets))
    training = rows.columns(features)
    queries = table.queries(params.evaluate.queries, features)
    its_terms = terms(params, features, training)
    content = export(module, len(features), params.export.opset, contract.metadata(its_terms))
    expected = Expected(
        module, features, targets, params.export.opset, params.export.rtol, params.export.atol
    )
    golden = vectors(module, params, training, queries)
    inputs = verification.inputs(
        training, queries, expected.dtype, stream(params.seed, "verification")
    ) | {verification.GOLDEN: np.array(golden.inputs)}
    checks = verification.verify(content, expected, inputs)
    if not any(check.problem for check in checks):
        checks.append(verification.conforms(content, golden))
    if problems := [f"{check.name}: {check.problem}" for check in checks if check.problem]:
        # No file is better than one that an app might pick up.
        files.ONNX.unlink(missing_ok=True)
        files.CONTRACT.unlink(missing_ok=True)
        raise UserError(
            f"the ONNX file failed {len(problems)} of {len(checks)} checks and was not written:\n  "
            + "\n  ".join(problems)
        )
    files.write_bytes(files.ONNX, content)
    whole = Contract(
        **its_terms.model_dump(),
        sha256=hashlib.sha256(content).hexdigest(),
        onnxruntime=onnxruntime.__version__,
        golden=golden,
    )
    files.write_json(files.CONTRACT, whole.model_dump(mode="json"))
    files.write_json(files.VERIFICATION, report(content, checks, params))
    print(
        f"ONNX file verified: {len(checks)} checks, {sum(check.rows for check in checks)} rows;"
        f" the largest difference from torch is {max(check.used for check in checks):.0%} of what"
        " rounding allows"
    )


if __name__ == "__main__":
    stage.run(main)
