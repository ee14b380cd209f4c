"""Export of a torch module to the bytes of one ONNX file."""

import logging
import warnings
from collections.abc import Mapping, Sequence

import torch
from google.protobuf.message import Message
from onnx import ModelProto
from torch import nn

from pipeline.learning.prediction import line_of
from pipeline.onnx_model.outputs import predictor
from pipeline.settings.errors import UserError

# torch logs a line for each torchvision operator that is not installed, and for each conversion to
# the opset that was asked for.
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
    output_names: Sequence[str] = ("y",),
) -> bytes:
    """Return the module as one ONNX file: x [batch, features] to the outputs, y first.

    The same module and metadata give the same bytes.
    Raises UserError if torch cannot express the module in `opset`.
    """
    return content(model_of(module, features, opset, output_names), metadata)


def model_of(
    module: nn.Module, features: int, opset: int, output_names: Sequence[str]
) -> ModelProto:
    """Return the module as an ONNX model: x [batch, features] to the outputs, y first.

    Source paths and the build of torch, which torch's exporter writes into the model, are removed.
    Raises UserError if torch cannot express the module in `opset`.
    """
    # Two rows: torch would take a batch of one for a constant.
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
                output_names=output_names,
                dynamic_shapes=({0: "batch"},),
                external_data=False,
                # The optimizer drops a bias of zeros and merges equal tensors. Every number of a
                # linear model must be in the file, under its own name.
                optimize=line_of(predictor(module)) is None,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise UserError(f"export.opset: torch cannot write this model: {error}") from error
    assert program is not None
    proto: ModelProto = program.model_proto
    _remove_notes(proto)
    proto.producer_version = torch.__version__.split("+")[0]
    return proto


def content(proto: ModelProto, metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of the model with its metadata."""
    for key, value in sorted(metadata.items()):
        proto.metadata_props.add(key=key, value=value)
    serialized: bytes = proto.SerializeToString(deterministic=True)
    return serialized


def _remove_notes(message: Message) -> None:
    """Remove the exporter's notes, such as source paths, from a protobuf message and its parts."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in [value] if isinstance(value, Message) else value:
                _remove_notes(part)
