"""Golden vectors: checks that they are complete, and that their bounds prove something."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline_client._json_values import a_list, a_number, a_text, an_integer, an_object, refuse
from abline_client._messages import count

WIDEST_BOUND = 0.01  # as a share of the size of the answers; a wider bound proves nothing

Floats = NDArray[np.float64]


def check_vectors(contract: Mapping[str, Any]) -> None:
    """Check the golden vectors of a contract of the right form. Raises ValueError."""
    golden = an_object(contract.get("golden"), "golden")
    if contract["version"] == 1:
        distance, width = _matrix(golden, contract["input"])
    else:
        distance, width = _columns(golden, contract["inputs"]), len(contract["encoded"])
    rows = len(distance)
    tables: dict[str, list[Floats]] = {}
    for part in ("outputs", "bounds"):
        of_part = an_object(golden.get(part), f"golden.{part}")
        for output in contract["outputs"]:
            name, shape = output["name"], (rows, output["shape"][1])
            may_be_null = contract["version"] > 1 and output["meaning"] != "in_range"
            table = _table(of_part.get(name), shape, f"golden.{part}.{name}", may_be_null)
            tables.setdefault(name, []).append(table)
    by_target: dict[tuple[str, ...], list[tuple[str, Floats, Floats]]] = {}
    for output in contract["outputs"]:
        name, (right, bounds) = output["name"], tables[output["name"]]
        if (bounds < 0).any():
            refuse(f"golden.bounds.{name}", float(bounds.min()), "0 or more")
        if (np.isnan(bounds) & ~np.isnan(right)).any():
            row = int(np.argmax((np.isnan(bounds) & ~np.isnan(right)).any(axis=1)))
            refuse(f"golden.bounds.{name}[{row}]", None, "a number, because the answer is one")
        if output["meaning"] != "in_range":
            by_target.setdefault(tuple(output["targets"]), []).append((name, right, bounds))
        elif bounds.any() or not np.isin(right, (0, 1)).all():
            raise ValueError(f"golden.bounds.{name}: must be 0, of answers that are 0 or 1")
    dtype = next(each["dtype"] for each in contract["outputs"] if each["meaning"] == "prediction")
    for real in by_target.values():
        _check_bounds(distance, width, real, np.finfo(dtype))


def _matrix(golden: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[Floats, int]:
    """Check the inputs of version 1; return their distances, and the number of features."""
    dtype, features = np.dtype(entry["dtype"]), entry["features"]
    rows = a_list(golden.get("inputs"), "golden.inputs")
    x = _table(rows, (len(rows), len(features)), "golden.inputs")
    with np.errstate(over="ignore"):
        if not np.array_equal(x.astype(dtype), x):
            raise ValueError(f"golden.inputs: must be numbers that {dtype} holds")
        distances = [_distance(column, f) for column, f in zip(x.T, features, strict=True)]
    return np.max(distances, axis=0), len(features)


def _columns(golden: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> Floats:
    """Check the inputs of version 2; return their distances."""
    columns = an_object(golden.get("inputs"), "golden.inputs")
    rows = len(a_list(columns.get(inputs[0]["name"]), f"golden.inputs.{inputs[0]['name']}"))
    distance = np.ones(rows)
    for entry in inputs:
        where = f"golden.inputs.{entry['name']}"
        values = a_list(columns.get(entry["name"]), where)
        if len(values) != rows:
            raise ValueError(f"{where}: found {count(len(values), 'row')}, must be {rows}")
        check = {"number": a_number, "category": a_text, "date": an_integer}[entry["kind"]]
        for row, value in enumerate(values):
            if value is not None:
                check(value, f"{where}[{row}]")
        if entry["kind"] == "category":
            continue
        known = np.array([value for value in values if value is not None], np.float64)
        with np.errstate(over="ignore"):
            if entry["kind"] == "number" and not np.array_equal(
                known.astype(entry["dtype"]), known
            ):
                raise ValueError(f"{where}: must be numbers that {entry['dtype']} holds")
            x = np.array([entry.get("fill") if v is None else v for v in values], np.float64)
            distance = np.fmax(distance, _distance(x, entry))
    return distance


def _distance(x: Floats, column: Mapping[str, Any]) -> Floats:
    """Return how far each number lies outside the training range, relative to it; 1 if inside."""
    reach = max(abs(float(column["min"])), abs(float(column["max"]))) or 1.0
    return np.fmax(np.abs(x) / reach, 1.0)


def _check_bounds(
    distance: Floats, width: int, real: Sequence[tuple[str, Floats, Floats]], kind: Any
) -> None:
    """Refuse bounds that are too wide to prove anything.

    An answer is a sum of terms that the contract does not have. The answers give their size: the
    largest answer in the training range, times the distance of the row relative to that range, or
    the row's own answer. A bound may be WIDEST_BOUND times the size, or eps (p + 3)² times for many
    numbers p, whose terms may be p times their sum.
    distance: [rows]. width: p. real: name, answers and bounds of outputs of the same targets, each
    [rows, targets]; NaN where there is no answer.
    """
    # The maximum of two numbers that may be NaN, because a refused row has no answers.
    answers = np.fmax.reduce([np.abs(right) for _, right, _ in real])
    answers = np.where(np.isnan(answers), 0.0, answers)
    outside = distance[:, None]
    with np.errstate(over="ignore"):
        largest = answers.max(axis=0, where=outside == 1, initial=0) + float(kind.smallest_normal)
        size = np.maximum(np.minimum(outside * largest, float(kind.max)), answers)
    share = max(WIDEST_BOUND, float(kind.eps) * (width + 3) ** 2)
    for name, _, bounds in real:
        if (wide := bounds > share * size).any():
            row, column = (int(index[0]) for index in np.nonzero(wide))
            raise ValueError(
                f"golden.bounds.{name}[{row}]: found {bounds[row, column]:.3g}, which is no bound"
                f" to answers of the size {size[row, column]:.3g}"
            )


def _table(value: Any, shape: tuple[int, int], where: str, may_be_null: bool = False) -> Floats:
    """Return a table of finite numbers, [rows, columns]; null is NaN, where it is allowed."""
    rows = a_list(value, where)
    if len(rows) != shape[0]:
        raise ValueError(f"{where}: found {count(len(rows), 'row')}, must be {shape[0]}")
    for index, row in enumerate(rows):
        if len(a_list(row, f"{where}[{index}]")) != shape[1]:
            raise ValueError(
                f"{where}[{index}]: found {count(len(row), 'number')}, must be {shape[1]}"
            )
        if not {type(each) for each in row} <= {float} or not all(map(math.isfinite, row)):
            for column, each in enumerate(row):
                if not (may_be_null and each is None):
                    a_number(each, f"{where}[{index}][{column}]")
    return np.array(rows, np.float64)
