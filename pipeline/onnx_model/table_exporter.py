"""Export of a torch module with the plan of the columns to one ONNX file, which takes raw columns.

The encoder, the module and the answers are three parts of one graph.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto, compose
from torch import nn

from pipeline.columns.plan import Plan
from pipeline.onnx_model import exporter
from pipeline.onnx_model.contract import Output
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.encoder import INSIDE, LEAST_OPSET, REFUSED, X, encoder
from pipeline.onnx_model.graph import Graph, value
from pipeline.onnx_model.outputs import free_prefix
from pipeline.settings.errors import UserError


def export(
    module: nn.Module,
    plan: Plan,
    outputs: Sequence[Output],
    dtype: Float,
    opset: int,
    metadata: Mapping[str, str],
) -> bytes:
    """Return the module with the plan as one ONNX file: raw columns [batch] to `outputs`.

    Where the plan refuses a value of a row, its numbers are NaN and it is not in range.
    The same module, plan and metadata give the same bytes.
    Raises UserError if `opset` has no operator for texts, or if torch cannot express the module.
    """
    if opset < LEAST_OPSET:
        raise UserError(
            f"export.opset: found {opset}; must be at least {LEAST_OPSET}, because ONNX compares"
            " texts and takes columns with gaps only from there on"
        )
    numbers = [output for output in outputs if output.dtype != "bool"]
    computed = ["y", "low", "high"][: len({output.meaning for output in numbers})]
    in_range = len(numbers) < len(outputs)
    names = {*plan.features, *(output.name for output in outputs)}
    before, inner, after = (free_prefix(part, names) for part in ("encoder/", "model/", "answers/"))
    encoding = encoder(plan, dtype, opset, before, in_range)
    model = exporter.model_of(module, len(plan.encoded_names), opset, computed)
    # The names that torch gave may be names of columns.
    compose.add_prefix(model, inner, inplace=True)
    joined = compose.merge_models(encoding, model, [(before + X, f"{inner}x")])
    links = [before + REFUSED, *(inner + name for name in computed)]
    links += [before + INSIDE] if in_range else []
    answering = _answers(outputs, links, dtype, opset, after)
    joined = compose.merge_models(
        joined,
        answering,
        [(link, f"{after}{link}") for link in links],
        name="main_graph",
        producer_name=model.producer_name,
        producer_version=model.producer_version,
    )
    for each in joined.opset_import[1:]:  # merge_models lists those of both models
        if each.domain == joined.opset_import[0].domain:
            joined.opset_import.remove(each)
    return exporter.content(joined, metadata)


def _answers(
    outputs: Sequence[Output], links: Sequence[str], dtype: Float, opset: int, prefix: str
) -> ModelProto:
    """Return the last part of the graph: to the file's outputs.

    links: REFUSED, the module's outputs, and INSIDE if in_range is among the outputs.
    """
    graph = Graph(prefix, dtype)
    of_meaning: dict[str, list[Output]] = {}
    for output in outputs:
        of_meaning.setdefault(output.meaning, []).append(output)
    refused, *computed = (prefix + link for link in links)
    inputs = [value(refused, "bool", 1)]
    for given, (meaning, of_targets) in zip(computed, of_meaning.items(), strict=True):
        if meaning == "in_range":
            inputs.append(value(given, "bool", 1))
            graph.node("Identity", given, output=of_targets[0].name)
            continue
        inputs.append(value(given, dtype, len(of_targets)))
        for index, output in enumerate(of_targets):
            of_target = graph.chosen(given, [index], len(of_targets))
            graph.node("Where", refused, graph.numbers(np.nan), of_target, output=output.name)
    described = [value(each.name, each.dtype, each.shape[1]) for each in outputs]
    return graph.model(inputs, described, opset)
