"""A file that compares texts gives the same answers by codes; any other file is left alone."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from raw_column_models import write_model

from pipeline.onnx_model import text_codes


def test_the_answers_have_the_same_bits(tmp_path: Path) -> None:
    content = (write_model(tmp_path, ("price", "rent")) / "model.onnx").read_bytes()
    copy = text_codes.coded(content)
    assert copy is not None
    assert set(copy.codes) == {"gas", "oil", "Wärme", "centre", "north", ""}
    random = np.random.default_rng(0)
    texts = {
        "heating": random.choice(["gas", "oil", "Wärme", "Gas", "gas ", ""], 1000),
        "district": random.choice(["north", "centre", "", "gas", "\U0001f3e0"], 1000),
    }
    feed = {
        "area": random.normal(size=1000).astype("f4"),
        "rooms": random.choice([np.nan, 1, 2], 1000).astype("f4"),
        "sold": random.choice([0, 1, 2, 3, np.iinfo(np.int64).min], 1000),
    }
    as_texts = {name: values.astype(object) for name, values in texts.items()}
    as_codes = {
        name: np.array([copy.codes.get(text, text_codes.OTHER) for text in values], np.int32)
        for name, values in texts.items()
    }
    right = onnxruntime.InferenceSession(content).run(None, feed | as_texts)
    y = onnxruntime.InferenceSession(copy.content).run(None, feed | as_codes)
    assert [each.tobytes() for each in y] == [each.tobytes() for each in right]


def file(nodes: list[onnx.NodeProto], output: int = TensorProto.BOOL, inputs: str = "s") -> bytes:
    """Return a file with inputs of texts and the constants k and t."""
    texts = [helper.make_tensor_value_info(name, TensorProto.STRING, ["batch"]) for name in inputs]
    constants = [numpy_helper.from_array(np.array([name], object), name) for name in "kt"]
    y = helper.make_tensor_value_info("y", output, None)
    graph = helper.make_graph(nodes, "texts", texts, [y], constants)
    return bytes(helper.make_model(graph).SerializeToString())


@pytest.mark.parametrize(
    "content",
    [
        file([helper.make_node("Identity", ["s"], ["y"])], TensorProto.STRING),
        file([helper.make_node("Equal", ["s", "r"], ["y"])], inputs="sr"),
        file([helper.make_node("Concat", ["s", "k"], ["y"], axis=0)], TensorProto.STRING),
        file(
            [
                helper.make_node("StringConcat", ["s", "k"], ["c"]),
                helper.make_node("Equal", ["c", "t"], ["y"]),
            ]
        ),
        file([helper.make_node("Cast", ["s"], ["y"], to=1)], TensorProto.FLOAT),
        file([helper.make_node("Equal", ["k", "t"], ["y"])], inputs=""),
    ],
    ids=["output", "two inputs", "joined", "concatenated", "number in a text", "no texts"],
)
def test_a_file_that_does_more_than_compare(content: bytes) -> None:
    assert text_codes.coded(content) is None


def test_constants_of_nodes_are_coded_too() -> None:
    constant = numpy_helper.from_array(np.array(["a", "b"], object))
    nodes = [
        helper.make_node("Constant", [], ["levels"], value=constant),
        helper.make_node("Unsqueeze", ["s", "last"], ["tall"]),
        helper.make_node("Constant", [], ["last"], value_ints=[1]),
        helper.make_node("Equal", ["tall", "levels"], ["y"]),
    ]
    copy = text_codes.coded(file([nodes[0], nodes[2], nodes[1], nodes[3]]))
    assert copy is not None
    session = onnxruntime.InferenceSession(copy.content)
    (y,) = session.run(None, {"s": np.array([copy.codes["b"], text_codes.OTHER], np.int32)})
    assert y.tolist() == [[False, True], [False, False]]
