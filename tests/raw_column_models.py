"""A small model of raw columns, made by hand: an ONNX file of typed inputs and its contract.

price = area + 10 rooms + 100 (no rooms) + 1000 (oil) + 2000 (Wärme) + 100 (north) + 200 (no
district) + 300 (other district) + days / 8 + 0.5 (Saturday); rent is twice the price.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

GAP = np.iinfo(np.int64).min
HEATING = {"gas": 6, "oil": 3, "Wärme": 1}
DISTRICTS = {"centre": 5, "north": 3}
INPUTS: list[dict[str, Any]] = [
    {"name": "area", "kind": "number", "dtype": "float32", "min": 10.0, "max": 90.0, "mean": 50.0}
    | {"fill": None, "indicator": False, "missing_rows": 0},
    {"name": "rooms", "kind": "number", "dtype": "float32", "min": 1.0, "max": 5.0, "mean": 3.0}
    | {"fill": 3.0, "indicator": True, "missing_rows": 2},
    {"name": "heating", "kind": "category", "dtype": "string", "reference": "gas"}
    | {"levels": [{"name": name, "rows": rows} for name, rows in HEATING.items()]}
    | {"unseen": "refuse", "rare_rows": 0, "has_missing": False, "missing_rows": 0},
    {"name": "district", "kind": "category", "dtype": "string", "reference": "centre"}
    | {"levels": [{"name": name, "rows": rows} for name, rows in DISTRICTS.items()]}
    | {"unseen": "rare", "rare_rows": 2, "has_missing": True, "missing_rows": 0},
    {"name": "sold", "kind": "date", "dtype": "int64", "unit": "days", "missing_rows": 0}
    | {"parts": ["days", "weekday"], "levels": {"weekday": [4, 5, 6]}}
    | {"references": {"weekday": 4}, "min": 0, "max": 800},
]
ENCODED = ["area", "rooms", "rooms[missing]", "heating[oil]", "heating[Wärme]"]
ENCODED += ["district[north]", "district[(missing)]", "district[(rare)]"]
ENCODED += ["sold[days]", "sold[weekday=5]", "sold[weekday=6]"]
_HEATING = [[0.0], [1000.0], [2000.0], [3000.0], [4000.0]]
_WEIGHT = [1, 10, 100, 1, 100, 200, 300, 1 / 8, 0, 0.5]
GOLDEN: dict[str, list[Any]] = {
    "area": [10.0, 90.0, None, 50.0, 50.0, 50.0],
    "rooms": [1.0, None, 1.0, 2.0, 2.0, 2.0],
    "heating": ["gas", "oil", "gas", "coal", "Wärme", "gas"],
    "district": ["centre", "", "north", "north", "an odd one", "north "],
    "sold": [0, 701, 0, 0, 2, None],
}
RIGHT = [20.0, 90 + 30 + 100 + 1000 + 200 + 701 / 8, None, None, 50 + 20 + 2000 + 300 + 0.75, None]


class Graph:
    """Nodes and constants of a graph that grows."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any) -> str:
        """Add a constant; return its name. dtype: of NumPy; object for texts."""
        name = f"c{len(self.constants)}"
        if dtype is object:
            texts = [each.encode() for each in value]
            tensor = helper.make_tensor(name, TensorProto.STRING, [len(texts)], texts)
        else:
            tensor = numpy_helper.from_array(np.array(value, dtype), name)
        self.constants.append(tensor)
        return name

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name


def _graph(targets: Sequence[str], levels: Sequence[str]) -> tuple[Graph, list[str]]:
    """Return the graph, and the names of its outputs."""
    g = Graph()
    last = g.constant([1], "i8")
    floats = TensorProto.FLOAT

    def tall(name: str) -> str:
        return g("Unsqueeze", name, last)

    def number(name: str) -> str:
        return g("Cast", name, to=floats)

    area, rooms, heating, district, sold = (tall(entry["name"]) for entry in INPUTS)
    no_rooms = g("IsNaN", rooms)
    refused = [g("IsNaN", area)]
    encoded = [area, g("Where", no_rooms, g.constant([3], "f4"), rooms), number(no_rooms)]
    is_heating = g("Equal", heating, g.constant(levels, object))
    encoded.append(g("MatMul", number(is_heating), g.constant(_HEATING[: len(levels)], "f4")))
    refused.append(g("Not", tall(_any(g, is_heating))))
    is_district = g("Equal", district, g.constant(["centre", "north", ""], object))
    encoded.append(g("Gather", number(is_district), g.constant([1, 2], "i8"), axis=1))
    encoded.append(number(g("Not", tall(_any(g, is_district)))))
    seven = g.constant([7], "i8")
    weekday = g("Mod", g("Add", sold, g.constant([3], "i8")), seven)
    is_weekday = g("Equal", weekday, g.constant([3, 4, 5], "i8"))
    encoded += [number(sold), g("Gather", number(is_weekday), g.constant([1, 2], "i8"), axis=1)]
    refused += [g("Equal", sold, g.constant([GAP], "i8")), g("Not", tall(_any(g, is_weekday)))]
    is_refused = refused[0]
    for each in refused[1:]:
        is_refused = g("Or", is_refused, each)
    x = g("Concat", *encoded, axis=1)
    answers = []
    for place, _ in enumerate(targets):
        weight = g.constant(np.array(_WEIGHT)[:, None] * (place + 1), "f4")
        y = g("MatMul", x, weight)
        answers.append(g("Where", is_refused, g.constant([math.nan], "f4"), y))
    return g, answers


def _any(graph: Graph, name: str) -> str:
    """Return whether any value of a row is true: [batch]."""
    whole = graph("Cast", name, to=TensorProto.INT64)
    total = graph("ReduceSum", whole, graph.constant([1], "i8"), keepdims=0)
    return graph("Greater", total, graph.constant(0, "i8"))


def write_model(
    folder: Path, targets: Sequence[str] = ("price",), heating: Sequence[str] = ()
) -> Path:
    """Write model.onnx and contract.json into a folder; return it.

    heating: other levels than HEATING's, each 1000 dearer than the one before; without golden
    vectors.
    """
    graph, answers = _graph(targets, heating or [*HEATING])
    outputs: list[dict[str, Any]] = [
        {"name": name, "meaning": "prediction", "dtype": "float32", "shape": ["batch", 1]}
        | {"targets": [target]}
        for name, target in zip(answers, targets, strict=True)
    ]
    terms = {
        "version": 2,
        "inputs": [_entry(entry, heating) for entry in INPUTS],
        "encoded": ENCODED,
        "outputs": outputs,
        "opset": 20,
        "ir_version": 10,
        "source": {"training_id": "an id", "md5": {}, "params": {}},
        "test_metrics": {},
    }
    kinds = {"float32": TensorProto.FLOAT, "string": TensorProto.STRING, "int64": TensorProto.INT64}
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "raw columns",
            [
                helper.make_tensor_value_info(e["name"], kinds[e["dtype"]], ["batch"])
                for e in INPUTS
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1])
                for name in answers
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    helper.set_model_props(proto, {"abline.contract": json.dumps(terms)})
    content = proto.SerializeToString()
    onnx.checker.check_model(proto)
    right = [[None if value is None else value] for value in RIGHT]
    golden = {
        "inputs": GOLDEN,
        "outputs": {
            name: [[None if row[0] is None else row[0] * (place + 1)] for row in right]
            for place, name in enumerate(answers)
        },
        "bounds": {name: [[None if row[0] is None else 1e-3] for row in right] for name in answers},
        "derivation": "by hand",
    }
    whole = terms | {"sha256": hashlib.sha256(content).hexdigest(), "golden": golden}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    if not heating:
        (folder / "contract.json").write_text(json.dumps(whole | {"onnxruntime": "1"}))
    return folder


def _entry(entry: Mapping[str, Any], heating: Sequence[str]) -> dict[str, Any]:
    """Return the description of an input, with other levels of heating, if any."""
    whole = {**entry, "shape": ["batch"]}
    if heating and entry["name"] == "heating":
        whole["levels"] = [{"name": name, "rows": 1} for name in heating]
    return whole


def price(row: Mapping[str, Any]) -> float:
    """Return the right price of a row that can be answered. sold: in days."""
    rooms = row["rooms"]
    has_rooms = not math.isnan(rooms)
    total = row["area"] + (10 * rooms if has_rooms else 130)
    total += {"gas": 0, "oil": 1000, "Wärme": 2000}[row["heating"]]
    total += {"centre": 0, "north": 100, "": 200}.get(row["district"], 300)
    return float(total + row["sold"] / 8 + 0.5 * (row["sold"] % 7 == 2))
