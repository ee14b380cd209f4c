"""A part of an ONNX graph that grows node by node."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from pipeline.onnx_model.expected import IR_VERSION

ELEMENT_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "bool": TensorProto.BOOL,
    "int64": TensorProto.INT64,
    "string": TensorProto.STRING,
}


class Graph:
    """A graph to which nodes are added; each method returns the name of a value in it.

    prefix: of the names of all values and nodes except inputs and outputs.
    dtype: float32 or float64, of the numbers.
    """

    def __init__(self, prefix: str, dtype: str) -> None:
        self.dtype = dtype
        self._prefix = prefix
        self._nodes: list[NodeProto] = []
        self._constants: dict[Any, TensorProto] = {}
        self._column = ""

    def of_column(self, name: str) -> None:
        """Name the next nodes after a column, for those who look at the graph."""
        self._column = f"{name}/"

    def node(
        self, operator: str, *inputs: str, output: str | None = None, **attributes: Any
    ) -> str:
        """Add a node with one output."""
        name = f"{self._prefix}{self._column}{operator}_{len(self._nodes)}"
        output = name if output is None else output
        self._nodes.append(helper.make_node(operator, inputs, [output], name, **attributes))
        return output

    def numbers(self, values: float | Sequence[Sequence[float]]) -> str:
        """Add a constant in the graph's dtype."""
        return self._constant(np.asarray(values, self.dtype))

    def doubles(self, values: float | Sequence[Sequence[float]] | NDArray[np.float64]) -> str:
        """Add a constant of float64."""
        return self._constant(np.asarray(values, np.float64))

    def integers(self, values: int | Sequence[int] | Sequence[Sequence[int]]) -> str:
        """Add a constant of int64."""
        return self._constant(np.asarray(values, np.int64))

    def flags(self, values: Sequence[Sequence[bool]]) -> str:
        """Add a constant of truth values."""
        return self._constant(np.asarray(values, np.bool_))

    def texts(self, values: Sequence[str]) -> str:
        """Add a constant of texts: [1, texts]."""
        contents = [value.encode() for value in values]
        name = f"{self._prefix}texts_{len(self._constants)}"
        tensor = helper.make_tensor(
            name, TensorProto.STRING, (1, len(contents)), np.array(contents, np.object_)
        )
        return self._constants.setdefault(tuple(contents), tensor).name

    def _constant(self, values: NDArray[Any]) -> str:
        name = f"{self._prefix}{values.dtype}_{len(self._constants)}"
        key = values.dtype.str, values.shape, values.tobytes()
        return self._constants.setdefault(key, numpy_helper.from_array(values, name)).name

    def cast(self, value: str, dtype: str | None = None) -> str:
        """Add a conversion to `dtype`, by default to the graph's."""
        return self.node("Cast", value, to=ELEMENT_TYPES[dtype or self.dtype])

    def side_by_side(self, values: Sequence[str]) -> str:
        """Add a concatenation of [batch, n] values along the second dimension."""
        return values[0] if len(values) == 1 else self.node("Concat", *values, axis=1)

    def chosen(self, value: str, indices: Sequence[int], width: int) -> str:
        """Add a choice of columns of a value [batch, width]."""
        if list(indices) == list(range(width)):
            return value
        runs: list[list[int]] = []  # first index, and the one after the last
        for index in indices:
            if runs and runs[-1][1] == index:
                runs[-1][1] += 1
            else:
                runs.append([index, index + 1])
        if len(runs) > 2:
            return self.node("Gather", value, self.integers(list(indices)), axis=1)
        # All levels but one: onnxruntime gathers numbers one by one, ten times as slowly.
        ends = [map(self.integers, ([first], [end], [1])) for first, end in runs]
        return self.side_by_side([self.node("Slice", value, *each) for each in ends])

    def any_of(self, numbers: str) -> str:
        """Add a test whether a number of the row is not 0, for numbers of 0 and 1: [batch, 1]."""
        largest = self.node("ReduceMax", numbers, self.integers([1]), keepdims=1)
        return self.cast(largest, "bool")

    def all_of(self, numbers: str) -> str:
        """Add a test whether no number of the row is 0, for numbers of 0 and 1: [batch, 1]."""
        smallest = self.node("ReduceMin", numbers, self.integers([1]), keepdims=1)
        return self.cast(smallest, "bool")

    def model(
        self, inputs: Iterable[ValueInfoProto], outputs: Iterable[ValueInfoProto], opset: int
    ) -> ModelProto:
        """Return the graph as a model."""
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, "main_graph", list(inputs), list(outputs), constants)
        opsets = [helper.make_opsetid("", opset)]
        proto = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=opsets)
        checker.check_model(proto, full_check=True)
        return proto


def value(name: str, dtype: str, columns: int | None = None) -> ValueInfoProto:
    """Return the description of an input or an output: [batch], or [batch, columns]."""
    shape: list[str | int | None] = ["batch"] if columns is None else ["batch", columns]
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[dtype], shape)
