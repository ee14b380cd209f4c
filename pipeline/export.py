"""Stage `export`: write the model as one ONNX file and prove that it agrees with torch.

Reads   models/model.safetensors, data/train.parquet
Writes  models/model.onnx, reports/verification.json
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping
from typing import Any

import onnxruntime
import torch
from google.protobuf.message import Message
from torch import nn

from pipeline import UserError, files, lineage, model, stage, table, verification
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
    content = export(
        module,
        len(features),
        params.export.opset,
        {
            "abline.features": json.dumps(features, ensure_ascii=False),
            "abline.targets": json.dumps(targets, ensure_ascii=False),
            "abline.training_id": lineage.trained_by(files.MODEL),
            "abline.model_md5": lineage.md5(files.MODEL),
        },
    )
    expected = Expected(
        module, features, targets, params.export.opset, params.export.rtol, params.export.atol
    )
    inputs = verification.inputs(
        rows.columns(features),
        table.queries(params.evaluate.queries, features),
        expected.dtype,
        stream(params.seed, "verification"),
    )
    checks = verification.verify(content, expected, inputs)
    if problems := [f"{check.name}: {check.problem}" for check in checks if check.problem]:
        # No file is better than one that an app might pick up.
        files.ONNX.unlink(missing_ok=True)
        raise UserError(
            f"the ONNX file failed {len(problems)} of {len(checks)} checks and was not written:\n  "
            + "\n  ".join(problems)
        )
    files.write_bytes(files.ONNX, content)
    files.write_json(files.VERIFICATION, report(content, checks, params))
    print(
        f"ONNX file verified: {len(checks)} checks, {sum(check.rows for check in checks)} rows;"
        f" the largest difference from torch is {max(check.used for check in checks):.0%} of what"
        " rounding allows"
    )


if __name__ == "__main__":
    stage.run(main)
