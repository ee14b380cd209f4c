"""An ONNX file with its contract, and the rows that it must be tried on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.part import Part
from pipeline.onnx_model import (
    contract,
    exporter,
    feed,
    golden,
    raw_golden,
    table_exporter,
    terms,
)
from pipeline.onnx_model.conformance import GOLDEN_VECTORS
from pipeline.onnx_model.contract import Contract, MatrixContract, TableContract, Terms
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.feed import Inputs
from pipeline.onnx_model.raw_trials import raw_trials
from pipeline.onnx_model.trial_rows import trial_rows
from pipeline.settings.params import Params
from pipeline.settings.seeds import stream


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file that is not verified yet."""

    content: bytes
    contract: Contract
    trials: Mapping[str, Inputs]
    """The rows to try, by kind."""


def of_matrix(
    params: Params,
    expected: Expected,
    sums: Part,
    training: NDArray[np.float64],
    queries: NDArray[np.float64],
    metrics: Mapping[str, Any],
) -> OnnxFile:
    """Return the file that takes a matrix.

    sums: of all training rows. training: those to try, the extreme ones of each column among them;
    queries: [rows, features]. metrics: the content of metrics.json.
    Raises UserError if there can be no such file.
    """
    model_terms = terms.of_matrix(params, expected, sums, metrics)
    content = exporter.export(
        expected.module,
        len(expected.features),
        expected.opset,
        contract.metadata(model_terms),
        [output.name for output in expected.outputs],
    )
    vectors = golden.vectors(expected, training, queries, params.seed)
    random = stream(params.seed, "verification")
    trials = trial_rows(training, queries, expected.dtype, random)
    trials |= {GOLDEN_VECTORS: {"x": np.array(vectors.inputs)}}
    whole = MatrixContract(**_whole(model_terms, content), golden=vectors)
    return OnnxFile(content, whole, trials)


def of_table(
    params: Params,
    expected: Expected,
    sums: Part,
    training: pa.Table,
    queries: pa.Table,
    metrics: Mapping[str, Any],
) -> OnnxFile:
    """Return the file that takes raw columns.

    sums: of all training rows. training: those to try; queries: with the raw columns.
    metrics: the content of metrics.json. Raises UserError if there can be no such file.
    """
    plan, dtype = expected.plan, expected.precision
    assert plan is not None
    model_terms = terms.of_table(params, expected, plan, sums, metrics)
    content = table_exporter.export(
        expected.module,
        plan,
        expected.outputs,
        dtype,
        expected.opset,
        contract.metadata(model_terms),
    )
    random = stream(params.seed, "verification")
    trials = raw_trials(plan, training, queries, dtype, random)
    vectors = raw_golden.vectors(expected, trials["training rows"], trials["queries"], params.seed)
    trials |= {GOLDEN_VECTORS: feed.of_vectors(vectors.inputs, plan, dtype)}
    whole = TableContract(**_whole(model_terms, content), golden=vectors)
    return OnnxFile(content, whole, trials)


def _whole(model_terms: Terms, content: bytes) -> dict[str, Any]:
    """Return all of a contract except its golden vectors."""
    return model_terms.model_dump() | {
        "sha256": hashlib.sha256(content).hexdigest(),
        "onnxruntime": onnxruntime.__version__,
    }
