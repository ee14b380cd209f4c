"""Rows in the form in which an ONNX file takes them: one array for each input of the file.

The input of a matrix is `x`, [rows, features]. Of a table each raw column is an input, [rows]:
numbers in the file's precision, NaN for a gap; texts as objects, "" for a gap; dates as int64, in
the unit of the column, −2⁶³ for a gap.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.column import Bools
from pipeline.columns.date import GAP, DateColumn, from_integers, integers
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.onnx_model.contract_inputs import Float
from pipeline.tables import table

Inputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Feed:
    """Rows for a file, and what the plan makes of them."""

    inputs: Inputs
    x: NDArray[np.float64]
    """The numbers that the model itself gets, exact in the file's precision: [rows, encoded]."""
    refused: Bools
    """True for each row that must be answered by NaN: [rows]."""
    inside: Bools
    """True for each row that is in range: [rows]; of a matrix the module itself says it."""
    differences: NDArray[np.float64] | None = None
    """How far each number of `x` may be from that of another correct evaluation of the plan's
    terms: [rows, encoded]; None without terms."""


def of_matrix(inputs: Inputs, dtype: Float) -> Feed:
    """Return the feed of rows of numbers. inputs: x, [rows, features], of float64."""
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(inputs["x"], dtype)
    nowhere = np.zeros(len(x), np.bool_)
    return Feed({"x": x}, x.astype(np.float64), nowhere, nowhere)


def of_table(inputs: Inputs, plan: Plan, dtype: Float) -> Feed:
    """Return the feed of raw rows. inputs: by column."""
    rows = arrow(inputs, plan)
    file_plan = shipped(plan, dtype)
    numbers, refused = file_plan.encode(rows)
    with np.errstate(over="ignore"):
        x = numbers.astype(dtype).astype(np.float64)
    inside = file_plan.in_range(rows) & ~refused
    differences = file_plan.differences(rows)
    if differences is not None and dtype == "float32":
        # What differs in float64 may be rounded to the other side.
        may_differ = differences > 0
        unit = np.finfo(np.float32)
        size = unit.eps * (np.abs(x) + unit.smallest_normal)
        differences = np.where(may_differ, differences + np.nan_to_num(size), 0.0)
    return Feed(inputs, x, refused, inside, differences)


def shipped(plan: Plan, dtype: Float) -> Plan:
    """Return the plan with the ranges and fills of numbers rounded to `dtype`, as clients round."""

    def rounded(number: float) -> float:
        return float(np.asarray(number, dtype))

    def column(each: AnyColumn) -> AnyColumn:
        if not isinstance(each, NumberColumn):
            return each
        fill = None if each.fill is None else rounded(each.fill)
        ends = {"min": rounded(each.min), "max": rounded(each.max)}
        return each.model_copy(update={"fill": fill, **ends})

    return plan.model_copy(update={"columns": tuple(column(each) for each in plan.columns)})


def dtype_of(column: AnyColumn, dtype: Float) -> str:
    """Return the type of a column's input. dtype: of numbers."""
    return {"number": dtype, "category": "string", "date": "int64"}[column.kind]


def inputs_of(rows: pa.Table, plan: Plan, dtype: Float) -> Inputs:
    """Return the inputs for the rows of a table with the raw columns."""
    return {each.name: _input(each, rows.column(each.name), dtype) for each in plan.columns}


def of_vectors(columns: Mapping[str, Sequence[Any]], plan: Plan, dtype: Float) -> Inputs:
    """Return the inputs for the golden vectors of a contract, in which null is a gap."""
    gaps = {"number": math.nan, "category": "", "date": GAP}
    types = {"number": dtype, "category": np.object_, "date": np.int64}
    return {
        each.name: np.array(
            [gaps[each.kind] if value is None else value for value in columns[each.name]],
            types[each.kind],
        )
        for each in plan.columns
    }


def _input(column: AnyColumn, values: pa.ChunkedArray, dtype: Float) -> NDArray[Any]:
    if isinstance(column, NumberColumn):
        with np.errstate(over="ignore"):
            return table.numbers(values).astype(dtype)
    if isinstance(column, DateColumn):
        return integers(values, column.unit)
    return np.array(values.to_pylist(), np.object_)


def arrow(inputs: Inputs, plan: Plan) -> pa.Table:
    """Return raw rows as a table, of the types that `generate` writes."""
    arrays = []
    for column in plan.columns:
        values = inputs[column.name]
        if isinstance(column, NumberColumn):
            arrays.append(table.array(values.astype(np.float64), pa.float64()))
        elif isinstance(column, DateColumn):
            arrays.append(from_integers(values, column.unit))
        else:
            arrays.append(table.texts(values.tolist()))
    return pa.Table.from_arrays(arrays, list(plan.features))


def row_count(inputs: Inputs) -> int:
    """Return the number of rows."""
    return len(next(iter(inputs.values())))


def chosen(inputs: Inputs, rows: slice | NDArray[np.int64]) -> Inputs:
    """Return some of the rows."""
    return {name: values[rows] for name, values in inputs.items()}


def stacked(parts: Sequence[Inputs]) -> Inputs:
    """Return the rows of all parts, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
