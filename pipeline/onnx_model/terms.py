"""The terms of the contract for one model: its input, outputs, lineage and test metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.rounding import rounded_sum
from pipeline.onnx_model.contract import Lineage, MatrixTerms
from pipeline.onnx_model.contract_inputs import Feature, Float, Input
from pipeline.onnx_model.expected import IR_VERSION, Expected
from pipeline.settings import files, ids
from pipeline.settings.params import Params


def terms(
    params: Params,
    expected: Expected,
    training: NDArray[np.float64],
    metrics: Mapping[str, Any],
) -> MatrixTerms:
    """Return the terms of the ONNX file.

    training: the training rows, [rows, features]; metrics: the content of metrics.json.
    """
    dtype = expected.precision
    return MatrixTerms(
        version=1,
        input=Input(
            name="x",
            dtype=dtype,
            shape=("batch", len(expected.features)),
            features=features(expected.features, training, dtype),
        ),
        outputs=expected.outputs,
        opset=expected.opset,
        ir_version=IR_VERSION,
        source=Lineage(
            training_id=ids.trained_by(files.MODEL),
            md5=ids.md5s([str(path) for path in (files.TRAIN, files.TEST, files.MODEL)]),
            params=ids.stage_params("generate", params) | ids.stage_params("train", params),
        ),
        # r2 is None if the targets do not vary.
        test_metrics={k: v for k, v in metrics.get("test", {}).items() if v is not None},
    )


def features(names: Sequence[str], rows: NDArray[np.float64], dtype: Float) -> tuple[Feature, ...]:
    """Return the columns with their ranges and means. rows: the training rows, [rows, features].

    Ranges are rounded as a client rounds its values, so that every training row is in range.
    """
    low, high = (each.astype(dtype).astype(np.float64) for each in (rows.min(0), rows.max(0)))
    means = np.array([rounded_sum(column) / len(rows) for column in rows.T.tolist()]).astype(dtype)
    means_in_range = np.clip(means.astype(np.float64), low, high)
    return tuple(
        Feature(name=name, min=first, max=last, mean=mean)
        for name, first, last, mean in zip(
            names, low.tolist(), high.tolist(), means_in_range.tolist(), strict=True
        )
    )
