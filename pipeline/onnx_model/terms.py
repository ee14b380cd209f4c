"""The terms of the contract for one model: its input, outputs, lineage and test metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.exact.rounding import rounded_sum
from pipeline.onnx_model.contract import Lineage, MatrixTerms, TableTerms
from pipeline.onnx_model.contract_inputs import (
    CategoryInput,
    DateInput,
    Feature,
    Float,
    Input,
    NumberInput,
    RawColumn,
)
from pipeline.onnx_model.expected import IR_VERSION, Expected
from pipeline.settings import files, ids
from pipeline.settings.params import Params
from pipeline.tables import table


def of_matrix(
    params: Params,
    expected: Expected,
    training: NDArray[np.float64],
    metrics: Mapping[str, Any],
) -> MatrixTerms:
    """Return the terms of a file that takes a matrix.

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
        **_of_any(params, expected, metrics, (files.TRAIN, files.TEST, files.MODEL)),
    )


def of_table(
    params: Params,
    expected: Expected,
    plan: Plan,
    training: pa.Table,
    metrics: Mapping[str, Any],
) -> TableTerms:
    """Return the terms of a file that takes raw columns.

    training: the training rows, with the raw columns; metrics: the content of metrics.json.
    """
    dtype = expected.precision
    return TableTerms(
        version=2,
        inputs=tuple(raw(each, training.column(each.name), dtype) for each in plan.columns),
        encoded=plan.encoded_names,
        **_of_any(params, expected, metrics, (files.TRAIN, files.TEST, files.COLUMNS, files.MODEL)),
    )


def _of_any(
    params: Params, expected: Expected, metrics: Mapping[str, Any], paths: Sequence[Path]
) -> dict[str, Any]:
    """Return the terms that files of both versions have. paths: of the lineage."""
    return {
        "outputs": expected.outputs,
        "opset": expected.opset,
        "ir_version": IR_VERSION,
        "source": Lineage(
            training_id=ids.trained_by(files.MODEL),
            md5=ids.md5s([str(path) for path in paths]),
            params=ids.stage_params("generate", params) | ids.stage_params("train", params),
        ),
        # r2 is None if the targets do not vary.
        "test_metrics": {k: v for k, v in metrics.get("test", {}).items() if v is not None},
    }


def raw(column: AnyColumn, values: pa.ChunkedArray, dtype: Float) -> RawColumn:
    """Return a raw column as the contract describes it. values: of the training rows."""
    if isinstance(column, CategoryColumn):
        return CategoryInput(shape=("batch",), dtype="string", **column.model_dump())
    if isinstance(column, DateColumn):
        return DateInput(shape=("batch",), dtype="int64", **column.model_dump())
    numbers = table.numbers(values)
    (known,) = features([column.name], numbers[~np.isnan(numbers)][:, None], dtype)
    fill = None if column.fill is None else float(np.asarray(column.fill, dtype))
    return NumberInput(
        kind="number",
        dtype=dtype,
        shape=("batch",),
        missing_rows=column.missing_rows,
        fill=fill,
        indicator=column.indicator,
        **known.model_dump(),
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
