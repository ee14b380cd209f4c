"""What onnxruntime's logarithm errs by, in Python, in Node and in the web's wasm.

The ONNX file takes the logarithm of a term in float64. Its bound allows LOG_UNITS units in the last
place between a runtime and `pipeline.exact.elementary`, which itself is within 0.52 of the truth.

    python benchmarks/runtime_log.py [values]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from pipeline.columns.term import LOG_UNITS
from pipeline.exact import elementary

Floats = NDArray[np.float64]
JAVASCRIPT = Path("clients/javascript")
PROGRAM = """
import { readFileSync, writeFileSync } from "node:fs";
const [folder, name] = process.argv.slice(2);
const runtime = await import(name);
if (name === "onnxruntime-web") runtime.env.wasm.numThreads = 1;
const file = readFileSync(`${folder}/x.bin`);
const x = new Float64Array(file.buffer, file.byteOffset, file.length / 8);
const session = await runtime.InferenceSession.create(readFileSync(`${folder}/log.onnx`));
const { y } = await session.run({ x: new runtime.Tensor("float64", x, [x.length]) });
writeFileSync(`${folder}/y.bin`, new Uint8Array(y.data.buffer, y.data.byteOffset, x.length * 8));
"""


def main(count: int) -> None:
    """Print the largest difference of each runtime, for numbers of all sizes and near 1."""
    random = np.random.default_rng(0)
    kinds = {
        "of all sizes": np.ldexp(random.uniform(1, 2, count), random.integers(-1022, 1024, count)),
        "from 0.01 to 10,000": np.ldexp(
            random.uniform(1, 2, count), random.integers(-7, 14, count)
        ),
        "within 1 ± 0.001": 1 + random.uniform(-1e-3, 1e-3, count),
        "float32": np.abs(random.normal(size=count)).astype(np.float32).astype(np.float64),
    }
    x = np.concatenate([*kinds.values()])
    right = elementary.log(x)
    nodes = [helper.make_node("Log", ["x"], ["y"])]
    ends = (helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n"]) for name in "xy")
    given, made = ([each] for each in ends)
    opsets = [helper.make_opsetid("", 20)]
    graph = helper.make_graph(nodes, "log", given, made)
    content = helper.make_model(graph, ir_version=10, opset_imports=opsets).SerializeToString()
    session = onnxruntime.InferenceSession(content)
    answers = {f"Python, onnxruntime {onnxruntime.__version__}": session.run(None, {"x": x})[0]}
    with tempfile.TemporaryDirectory() as folder:
        x.tofile(f"{folder}/x.bin")
        Path(folder, "log.onnx").write_bytes(content)
        for name in ("onnxruntime-node", "onnxruntime-web"):
            if (answer := in_javascript(Path(folder), name)) is not None:
                answers[answer[0]] = answer[1]
    print(f"largest difference in units in the last place; allowed are {LOG_UNITS}")
    for runtime, y in answers.items():
        units = np.abs(y - right) / np.spacing(np.abs(right))
        parts = np.split(units, len(kinds))
        shown = (f"{name} {part.max():.2f}" for name, part in zip(kinds, parts, strict=True))
        print(f"{runtime:34} {', '.join(shown)}; equal bits {np.mean(y == right):.0%}")


def in_javascript(folder: Path, name: str) -> tuple[str, Floats] | None:
    """Return the runtime with its version, and its logarithms; None if it is not installed."""
    about = JAVASCRIPT / "node_modules" / name / "package.json"
    if not about.exists():
        print(f"{name} is not installed: `npm ci` in {JAVASCRIPT}")
        return None
    program = JAVASCRIPT / "runtime_log.mjs"
    program.write_text(PROGRAM)
    try:
        subprocess.run(["node", program.name, folder, name], cwd=JAVASCRIPT, check=True)
    finally:
        program.unlink()
    version = json.loads(about.read_text())["version"]
    return f"Node, {name} {version}", np.fromfile(folder / "y.bin")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
