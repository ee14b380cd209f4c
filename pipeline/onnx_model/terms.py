"""The terms of the contract for one model: its input, outputs, lineage and test metrics."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.part import Part
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.columns.term import FunctionTerm
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


def of_matrix(
    params: Params, expected: Expected, training: Part, metrics: Mapping[str, Any]
) -> MatrixTerms:
    """Return the terms of a file that takes a matrix.

    training: the sums of the training rows; metrics: the content of metrics.json.
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
        **_of_any(params, expected, metrics),
    )


def of_table(
    params: Params, expected: Expected, plan: Plan, training: Part, metrics: Mapping[str, Any]
) -> TableTerms:
    """Return the terms of a file that takes raw columns.

    training: the sums of the training rows; metrics: the content of metrics.json.
    """
    return TableTerms(
        version=2,
        inputs=raw_columns(plan, training, expected.precision),
        encoded=plan.encoded_names,
        **_of_any(params, expected, metrics, files.COLUMNS),
    )


def _of_any(
    params: Params, expected: Expected, metrics: Mapping[str, Any], *others: Path
) -> dict[str, Any]:
    """Return the terms that files of both versions have. others: files of data/ in the lineage."""
    training = ids.trained_by(files.MODEL)
    # The tables themselves are not read: the model says which ones it was made from. Rows that were
    # left where they are have no file here: their summary has an md5.
    tables = (files.TRAIN, files.TEST) if params.data.keep_rows else (files.SUMMARY,)
    paths = (*tables, *others, files.MODEL)
    md5s = {**training.tables, **ids.md5s([str(files.MODEL)])}
    return {
        "outputs": expected.outputs,
        "opset": expected.opset,
        "ir_version": IR_VERSION,
        "source": Lineage(
            training_id=training.id,
            md5={str(path): md5s[str(path)] for path in sorted(paths)},
            params=ids.stage_params("generate", params) | ids.stage_params("train", params),
        ),
        # r2 is None if the targets do not vary.
        "test_metrics": {k: v for k, v in metrics.get("test", {}).items() if v is not None},
    }


def raw_columns(plan: Plan, training: Part, dtype: Float) -> tuple[RawColumn, ...]:
    """Return the raw columns as the contract describes them. training: sums of its rows."""
    # Nobody knows the weight of the filled rows, so that the mean of precisions has their fills.
    with_fills = plan.weights is not None and not plan.weights.are_frequencies
    in_model = [plan.names_in_model(column) for column in plan.columns]
    places = [1 + plan.encoded_names.index(names[0]) if names else 0 for names in in_model]
    columns = (
        _raw(column, training, place, dtype, with_fills)
        for column, place in zip(plan.columns, places, strict=True)
    )
    limits = {
        term.of.column: {"above" if term.kind == "log" else "at_least": 0.0}
        # Of a column with both, the logarithm asks for more.
        for term in sorted(plan.terms, key=lambda term: term.name.startswith("log("))
        if isinstance(term, FunctionTerm) and term.of.part is None
    }
    return tuple(column.model_copy(update=limits.get(column.name, {})) for column in columns)


def _raw(
    column: AnyColumn, training: Part, place: int, dtype: Float, with_fills: bool
) -> RawColumn:
    """Return a raw column. place: of its first number in the Gram matrix.

    with_fills: True to count the numbers in the place of missing ones.
    """
    if isinstance(column, CategoryColumn):
        return CategoryInput(shape=("batch",), dtype="string", **column.model_dump())
    if isinstance(column, DateColumn):
        return DateInput(shape=("batch",), dtype="int64", **column.model_dump())
    missing = 0 if with_fills else column.missing_rows
    known_weight = training.weight - missing
    if column.mean is not None:  # the sums do not have the column itself
        total = Fraction(column.mean) * Fraction(known_weight)
    else:
        # The sums have the fill in the place of each missing number.
        total = training.gram.inner_product(0, place) - missing * Fraction(column.fill or 0)
    known = _feature(column.name, column.min, column.max, total, known_weight, dtype)
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


def features(names: Sequence[str], training: Part, dtype: Float) -> tuple[Feature, ...]:
    """Return the columns of a matrix with their ranges and means.

    names: of the first columns of `training`, the sums of the training rows.
    """
    ranges = zip(names, training.smallest, training.largest, strict=False)
    return tuple(
        _feature(name, low, high, training.gram.inner_product(0, place), training.weight, dtype)
        for place, (name, low, high) in enumerate(ranges, 1)
    )


def _feature(
    name: str, smallest: float, largest: float, total: Fraction, weight: Fraction, dtype: Float
) -> Feature:
    """Return a column with its range and its mean. total: the exact sum of numbers of a weight.

    The range is rounded as a client rounds its values, so that every training row is in range.
    """
    low, high = (float(np.asarray(end, dtype)) for end in (smallest, largest))
    try:
        mean = float(total) / float(weight)
    except OverflowError:  # the sum is beyond float64, the mean is not
        mean = float(total / weight)
    # Rounding may move the mean of equal numbers out of their range.
    shipped = min(max(float(np.asarray(mean, dtype)), low), high)
    return Feature(name=name, min=low, max=high, mean=shipped)
